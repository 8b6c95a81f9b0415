import { expect, test } from '@jest/globals';
import { type AvroSchema, RECORD_LIMITS } from '../../domain/avro-guard.js';
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
