import type { AvroSchema } from '@concordat/common/domain/avro-shape.js';
import { RECORD_LIMITS } from '@concordat/common/domain/avro-walk.js';
import { type StrictReader, openStrictReader } from '@concordat/common/io/avro/strict-reader.js';
import {
  type Json,
  type JsonObject,
  type VectorSet,
  VectorUnreadable,
  fieldsOf,
  hexOf,
  listOf,
} from '../vector-set.js';

/** `vectors[].{schema, bytesHex}`, as AVRO-4304 writes them: each must be refused by guard and decoder. */
export const avroRejections: VectorSet = {
  name: 'Avro must-reject',
  read(file) {
    const vectors = listOf(fieldsOf(file)['vectors']);
    const isVector = (one: Json): boolean => {
      const { schema, bytesHex } = fieldsOf(one);
      return schema !== undefined && typeof bytesHex === 'string';
    };
    if (!vectors.some(isVector)) return undefined;
    return vectors.map((one, at) => {
      const vector = fieldsOf(one);
      return { id: idOf(vector, at), run: () => problemOf(vector) };
    });
  },
};

function idOf(vector: JsonObject, at: number): string {
  const name = vector['name'] ?? vector['id'] ?? vector['comment'];
  return typeof name === 'string' && name !== '' ? `"${name}"` : `vector ${String(at)}`;
}

function problemOf(vector: JsonObject): string | undefined {
  const bytes = hexOf(vector['bytesHex'], 'bytesHex');
  const came = readerOf(vector['schema'])(bytes, RECORD_LIMITS);
  return came.ok ? 'expected refused, came accepted' : undefined;
}

/** A schema is JSON, or JSON within text. One that cannot be read fails its vector: nothing was refused then. */
function readerOf(schema: Json | undefined): StrictReader {
  try {
    const parsed = typeof schema === 'string' ? schemaOf(schema) : schema;
    return openStrictReader(parsed as AvroSchema);
  } catch {
    throw new VectorUnreadable('expected an Avro schema');
  }
}

function schemaOf(text: string): Json {
  // `long` alone is a schema too, although it is not JSON
  return /^[A-Za-z_]+$/.test(text) ? text : (JSON.parse(text) as Json);
}
