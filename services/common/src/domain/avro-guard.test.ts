import { describe, expect, test } from '@jest/globals';
import avro from 'avsc';
import fc from 'fast-check';
import { avroGuard } from './avro-guard.js';
import type { AvroSchema } from './avro-shape.js';
import { EVENT_LIMITS, RECORD_LIMITS } from './avro-walk.js';

const limits = { bytesMax: 1_000, itemsMax: 100, depthMax: 8 };
const guard = (schema: AvroSchema, ...bytes: readonly number[]) =>
  avroGuard(schema)(Uint8Array.from(bytes), limits);

const list: AvroSchema = { type: 'array', items: 'long' };
const nested: AvroSchema = {
  type: 'record',
  name: 'Nested',
  fields: [{ name: 'children', type: { type: 'array', items: 'Nested' } }],
};
const fixed: AvroSchema = { type: 'fixed', name: 'Four', size: 4 };
const colour: AvroSchema = { type: 'enum', name: 'Colour', symbols: ['RED', 'BLUE'] };

test.each<[name: string, schema: AvroSchema, bytes: number[], problem: RegExp]>([
  ['300 million items in 5 bytes', list, [0x80, 0x8c, 0x8d, 0x9e, 0x02], /more than 100 items/],
  [
    'items of no bytes at all',
    { type: 'array', items: 'null' },
    [0xca, 0x01, 0x00],
    /more than 100/,
  ],
  ['a sized block', list, [0x01, 0x02, 0x02, 0x00], /sized blocks are not used/],
  ['a number that is not shortest', 'long', [0x82, 0x00], /not in its shortest form/],
  ['zero in two bytes', 'int', [0x80, 0x00], /not in its shortest form/],
  ['a number of 11 bytes', 'long', [...Array<number>(10).fill(0xff), 0x01], /more than 64 bits/],
  ['a number beyond 2^53', 'long', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40], /2\^53/],
  ['an int of 2^40', 'int', [0x80, 0x80, 0x80, 0x80, 0x80, 0x40], /not 32 bits/],
  ['boolean 7', 'boolean', [0x07], /a boolean is 0 or 1/],
  ['a branch that is none', ['null', 'string'], [0x04], /unknown union branch/],
  ['a branch below zero', ['null', 'string'], [0x01], /unknown union branch/],
  ['a symbol that is none', colour, [0x04], /unknown enum symbol/],
  ['text that is no UTF-8', 'string', [0x02, 0xff], /not UTF-8/],
  ['text with half a character', 'string', [0x06, 0xed, 0xa0, 0x80], /not UTF-8/],
  ['a map key that is no UTF-8', { type: 'map', values: 'int' }, [2, 2, 0xff, 0, 0], /not UTF-8/],
  ['a negative length', 'bytes', [0x01], /cut short/],
  ['a length beyond the end', 'bytes', [0x08, 0x00], /cut short/],
  ['a number without its end', 'long', [0x80], /cut short/],
  ['too few bytes of fixed length', fixed, [0, 0, 0], /cut short/],
  ['half a double', 'double', [0, 0, 0, 0], /cut short/],
  ['bytes after the end', 'int', [0x02, 0x00], /expected the end, got 1 more bytes/],
  ['a list without its end', list, [0x02, 0x02], /cut short/],
])('%s is refused', (_name, schema, bytes, problem) => {
  expect(guard(schema, ...bytes)).toMatch(problem);
});

test('a record that contains itself is followed to the limit of depth and no further', () => {
  const deep = (levels: number) => [
    ...Array<number>(levels).fill(0x02),
    ...Array<number>(levels + 1).fill(0),
  ];
  expect(guard(nested, ...deep(3))).toBeUndefined();
  expect(guard(nested, ...deep(20))).toMatch(/deeper than the limit/);
});

test('items are counted through all lists of a record together', () => {
  const lists: AvroSchema = { type: 'array', items: list };
  const sixty = [0x78, ...Array<number>(60).fill(0), 0x00];
  expect(guard(lists, 0x02, ...sixty, 0x00)).toBeUndefined();
  expect(guard(lists, 0x04, ...sixty, ...sixty, 0x00)).toMatch(/more than 100 items/);
});

test('more bytes than the limit are not even walked', () => {
  const bytes = new Uint8Array(1_001);
  expect(avroGuard('bytes')(bytes, limits)).toBe('expected at most 1000 bytes, got 1001');
});

test('the refusal names the place', () => {
  const schema: AvroSchema = {
    type: 'record',
    name: 'Outer',
    fields: [
      { name: 'id', type: 'int' },
      { name: 'flags', type: { type: 'array', items: 'boolean' } },
    ],
  };
  expect(guard(schema, 0x02, 0x04, 0x01, 0x09, 0x00)).toMatch(/^\$\.flags\[1\]: /);
});

test('a schema with an unknown type is a mistake of ours', () => {
  expect(() => avroGuard('Unknown')).toThrow(TypeError);
});

describe('whatever the encoder makes', () => {
  const schema: AvroSchema = {
    type: 'record',
    name: 'Sample',
    fields: [
      { name: 'text', type: 'string' },
      { name: 'count', type: 'long' },
      { name: 'small', type: 'int' },
      { name: 'ratio', type: 'double' },
      { name: 'maybe', type: ['null', 'string'] },
      { name: 'items', type: { type: 'array', items: 'bytes' } },
      { name: 'byName', type: { type: 'map', values: 'boolean' } },
    ],
  };
  const type = avro.Type.forSchema(schema as unknown as avro.Schema);
  const sampleGuard = avroGuard(schema);
  const samples = fc.record({
    text: fc.string({ unit: 'grapheme' }),
    count: fc.integer({ min: -(2 ** 52), max: 2 ** 52 }),
    small: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    ratio: fc.double(),
    maybe: fc.option(fc.string({ unit: 'grapheme' })),
    items: fc.array(fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes))),
    byName: fc.dictionary(fc.string({ unit: 'grapheme' }), fc.boolean(), { noNullPrototype: true }),
  });

  test('passes the guard', () => {
    fc.assert(
      fc.property(samples, (sample) => {
        expect(sampleGuard(type.toBuffer(sample), RECORD_LIMITS)).toBeUndefined();
      }),
    );
  });

  test('cut anywhere, or longer by a byte, does not', () => {
    fc.assert(
      fc.property(samples, fc.nat(), (sample, at) => {
        const bytes = type.toBuffer(sample);
        expect(sampleGuard(bytes.subarray(0, at % bytes.length), RECORD_LIMITS)).toBeDefined();
        expect(sampleGuard(Buffer.concat([bytes, Buffer.of(0)]), RECORD_LIMITS)).toBeDefined();
      }),
    );
  });
});

test('any bytes at all are judged in no time', () => {
  const event = avroGuard({ type: 'array', items: { type: 'array', items: ['null', 'string'] } });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const startMs = performance.now();
      event(bytes, EVENT_LIMITS);
      expect(performance.now() - startMs).toBeLessThan(200);
    }),
  );
});
