import { expect, test } from '@jest/globals';
import avro from 'avsc';
import fc from 'fast-check';
import type { AvroSchema } from '../../domain/avro-shape.js';
import { RECORD_LIMITS } from '../../domain/avro-walk.js';
import { openStrictReader } from './strict-reader.js';

const read = (schema: AvroSchema, hex: string) =>
  openStrictReader(schema)(Uint8Array.from(Buffer.from(hex, 'hex')), RECORD_LIMITS);

const map: AvroSchema = { type: 'map', values: 'int' };
const outer: AvroSchema = {
  type: 'record',
  name: 'house.Outer',
  fields: [
    { name: 'inner', type: { type: 'record', name: 'Inner', fields: [] } },
    { name: 'again', type: 'house.Inner' },
    { name: 'next', type: ['null', 'Outer'] },
  ],
};

test.each<[name: string, schema: AvroSchema, hex: string, value: unknown]>([
  ['a number', 'long', '02', 1],
  ['a list', { type: 'array', items: 'int' }, '04020400', [1, 2]],
  ['a map', map, '02026102' + '00', { a: 1 }],
  [
    'names in the namespace of what they stand in',
    outer,
    '00',
    { inner: {}, again: {}, next: null },
  ],
])('answers %s', (_name, schema, hex, value) => {
  const came = read(schema, hex);
  expect(came.ok && JSON.parse(JSON.stringify(came.value))).toEqual(value);
});

test.each<[name: string, schema: AvroSchema, hex: string]>([
  ['a list in two blocks', { type: 'array', items: 'int' }, '0202020400'],
  ['a map with a key twice', map, '0402610202610400'],
  [
    'a map that would change its prototype',
    map,
    `0212${Buffer.from('__proto__').toString('hex')}0200`,
  ],
  [
    'a map that would change the prototype of a record',
    { type: 'map', values: map },
    `0212${Buffer.from('__proto__').toString('hex')}02026102` + '0000',
  ],
])('refuses %s', (_name, schema, hex) => {
  expect(read(schema, hex)).toMatchObject({ ok: false });
  expect(({} as { a?: unknown }).a).toBeUndefined();
});

test('a schema that is none is a mistake of ours', () => {
  expect(() => openStrictReader('Unknown')).toThrow();
});

const record: AvroSchema = {
  type: 'record',
  name: 'Record',
  fields: [
    { name: 'flag', type: 'boolean' },
    { name: 'numbers', type: { type: 'array', items: 'long' } },
    { name: 'text', type: ['null', 'string'] },
    { name: 'octets', type: 'bytes' },
    { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B'] } },
    { name: 'four', type: { type: 'fixed', name: 'Four', size: 4 } },
  ],
};

test('whatever bytes pass without maps and floating numbers are those that would be written again', () => {
  const type = avro.Type.forSchema(record as avro.Schema);
  const whole = type.toBuffer(type.random());
  let passed = 0;
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat({ max: 60 }), fc.nat({ max: 255 })), { maxLength: 3 }),
      fc.nat({ max: 5_000 }),
      (changes, seed) => {
        const bytes = Buffer.from(seed % 2 === 0 ? whole : type.toBuffer(type.random()));
        for (const [at, to] of changes) if (at < bytes.length) bytes[at] = to;
        const came = read(record, bytes.toString('hex'));
        if (!came.ok) return;
        passed += 1;
        expect(type.toBuffer(came.value).toString('hex')).toBe(bytes.toString('hex'));
      },
    ),
    { numRuns: 2_000 },
  );
  expect(passed).toBeGreaterThan(100);
});
