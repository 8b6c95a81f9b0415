import avro from 'avsc';
import { avroGuard } from '../../domain/avro-guard.js';
import type { AvroSchema } from '../../domain/avro-shape.js';
import type { AvroLimits } from '../../domain/avro-walk.js';
import { equalBytes } from '../../domain/bytes.js';
import { type Result, err, ok } from '../../domain/result.js';

/** Answers the value that exactly these bytes encode, or what is wrong with them: never what they say. */
export type StrictReader = (bytes: Uint8Array, limits: AvroLimits) => Result<unknown, string>;

/**
 * The only way from foreign Avro bytes to a value: the guard walks them before the decoder does, and what was decoded
 * is encoded again where the guard leaves room for a second encoding of the same value, so that each value has one.
 *
 * @throws TypeError for a schema that the guard does not know
 */
export function strictReader(type: avro.Type, schema: AvroSchema): StrictReader {
  const guard = avroGuard(schema);
  const isUnique = hasUniqueEncodings(schema);
  return (bytes, limits) => {
    const problem = guard(bytes, limits);
    if (problem !== undefined) return err(problem);
    // avsc needs a Buffer; this one shares the memory
    const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    try {
      const value: unknown = type.fromBuffer(body);
      return isUnique || equalBytes(type.toBuffer(value), body)
        ? ok(value)
        : err('another encoding of the same value was expected');
    } catch {
      // the decoder's own message may quote what it read
      return err('a value is not allowed here');
    }
  };
}

/** @throws Error for what is not an Avro schema */
export function openStrictReader(schema: AvroSchema): StrictReader {
  return strictReader(avro.Type.forSchema(schema as avro.Schema), schema);
}

/** A map's order is free and a NaN has many forms; of all else the guard passes the one form that we write. */
function hasUniqueEncodings(schema: AvroSchema): boolean {
  return !/"(?:map|float|double)"/.test(JSON.stringify(schema));
}
