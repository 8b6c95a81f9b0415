import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import avro from 'avsc';
import fc from 'fast-check';
import { schemasDir } from '../../../../test/support/federation.js';
import { avroReader } from './avro-reader.js';
import { type AvroSchema, avroShape } from './avro-shape.js';
import { RECORD_LIMITS } from './avro-walk.js';
import { avroWriter } from './avro-writer.js';

const read = (schema: AvroSchema, ...bytes: readonly number[]) =>
  avroReader(avroShape(schema))(Uint8Array.from(bytes), RECORD_LIMITS);

const uuid: AvroSchema = { type: 'fixed', name: 'Id', size: 16, logicalType: 'uuid' };
const ID = '018bcfe5-6800-7000-8000-00000000abcd';
const tree: AvroSchema = {
  type: 'record',
  name: 'house.Tree',
  fields: [
    { name: 'name', type: 'string' },
    { name: 'branches', type: { type: 'array', items: 'Tree' } },
  ],
};
const ONE_AND_TWO = [2, 0x61, 4, 2, 0x62, 0, 2, 0x61, 0, 0];

test.each<[name: string, schema: AvroSchema, bytes: number[], value: unknown]>([
  ['an id as text', uuid, [...Buffer.from(ID.replaceAll('-', ''), 'hex')], ID],
  ['a record in itself', tree, ONE_AND_TWO, { name: 'a', branches: [leaf('b'), leaf('a')] }],
  ['text that is not ASCII', 'string', [6, 0xe2, 0x82, 0xac], '€'],
  ['the least number', 'long', [0xfd, ...Array<number>(6).fill(0xff), 0x1f], -(2 ** 53) + 1],
  ['the greatest number', 'long', [0xfe, ...Array<number>(6).fill(0xff), 0x1f], 2 ** 53 - 1],
  ['nothing', ['string', 'null'], [2], null],
])('%s is read', (_name, schema, bytes, value) => {
  expect(read(schema, ...bytes)).toEqual({ ok: true, value });
});

function leaf(name: string): unknown {
  return { name, branches: [] };
}

test('floating numbers and maps are read', () => {
  const double = Buffer.alloc(8);
  double.writeDoubleLE(0.1);
  expect(read('double', ...double)).toEqual({ ok: true, value: 0.1 });
  const float = Buffer.alloc(4);
  float.writeFloatLE(0.5);
  expect(read('float', ...float)).toEqual({ ok: true, value: 0.5 });
  const map: AvroSchema = { type: 'map', values: 'int' };
  expect(read(map, 2, 2, 0x61, 2, 0)).toEqual({ ok: true, value: new Map([['a', 1]]) });
});

test('the same text again is the same, another one of its length is not', () => {
  const shape = avroShape({ type: 'array', items: 'string' });
  const reader = avroReader(shape);
  const bytes = avroWriter(shape)(['ab', 'ab', 'ac', '€']);
  expect(reader(bytes, RECORD_LIMITS)).toEqual({ ok: true, value: ['ab', 'ab', 'ac', '€'] });
  expect(reader(Uint8Array.of(2, 4, 0xff, 0xff, 0), RECORD_LIMITS)).toMatchObject({ ok: false });
});

test('bytes are views of what was given, and what is of fixed length is not', () => {
  const given = Uint8Array.of(9, 4, 1, 2, 3, 4);
  const pair: AvroSchema = {
    type: 'record',
    name: 'Pair',
    fields: [
      { name: 'view', type: 'bytes' },
      { name: 'copy', type: { type: 'fixed', name: 'Two', size: 2 } },
    ],
  };
  const came = avroReader(avroShape(pair))(given, RECORD_LIMITS, 1);
  given.fill(7);
  const value = { view: Uint8Array.of(7, 7), copy: Uint8Array.of(3, 4) };
  expect(came).toEqual({ ok: true, value });
});

test('a field named as a prototype, and a type that is none, are refused', () => {
  const fields = [{ name: '__proto__', type: 'int' }];
  expect(() => avroReader(avroShape({ type: 'record', name: 'Bad', fields }))).toThrow(TypeError);
  const shape = { kind: 'primitive', type: 'integer', logical: '' } as const;
  expect(() => avroReader(shape)).toThrow(TypeError);
});

const recordFiles = readdirSync(schemasDir).filter((file) => {
  if (!file.endsWith('.avsc')) return false;
  const { namespace } = JSON.parse(readFileSync(join(schemasDir, file), 'utf8')) as AvroRecordFile;
  return namespace === 'concordat.v1';
});
interface AvroRecordFile {
  readonly namespace?: string;
}

describe.each(recordFiles)('%s', (file) => {
  const schema = JSON.parse(readFileSync(join(schemasDir, file), 'utf8')) as AvroSchema;
  // another implementation, which knows an id as its 16 bytes
  const type = avro.Type.forSchema(schema as avro.Schema);
  const reader = avroReader(avroShape(schema));
  const writer = avroWriter(avroShape(schema));

  test('what another encoder wrote is read, and written again as it was', () => {
    fc.assert(
      fc.property(fc.nat(), () => {
        const bytes = type.toBuffer(type.random());
        const came = reader(bytes, { ...RECORD_LIMITS, bytesMax: Infinity });
        expect(came.ok ? '' : came.error).toBe('');
        expect(came.ok && Buffer.from(writer(came.value)).equals(bytes)).toBe(true);
        expect(came.ok && plain(came.value)).toEqual(plain(type.fromBuffer(bytes)));
      }),
      { numRuns: 25 },
    );
  });
});

/** Bytes as hexadecimal text, and ids as their 16 bytes. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (typeof value === 'string') {
    return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value)
      ? value.replaceAll('-', '')
      : value;
  }
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, plain(one)]));
}
