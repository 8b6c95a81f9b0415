import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { type AvroShape, avroShape } from '@concordat/common/domain/avro-shape.js';
import { Unwritable, avroWriter } from '@concordat/common/domain/avro-writer.js';
import {
  isCategorySchema,
  parseCategorySchema,
  sectionSchema,
  sectionsOf,
} from '@concordat/common/domain/category-schema.js';
import { logicalRule } from '@concordat/common/domain/logical-types.js';
import { LOGICAL_TYPES } from '@concordat/common/io/avro/logical-types.js';
import avro from 'avsc';
import fc from 'fast-check';
import { arbitraryOf } from '../support/arbitrary-avro.js';
import { schemasDir } from '../support/federation.js';

/** What no category of ours has yet, and Avro knows. */
const WIDE = {
  type: 'record',
  name: 'Wide',
  fields: [
    { name: 'map', type: { type: 'map', values: ['null', 'int'] }, default: {} },
    { name: 'double', type: 'double' },
    { name: 'flag', type: 'boolean' },
    { name: 'level', type: { type: 'enum', name: 'Level', symbols: ['LOW', 'HIGH'] } },
    { name: 'either', type: ['string', 'null', 'int', { type: 'array', items: 'string' }] },
    { name: 'numbers', type: { type: 'array', items: ['null', 'int'] }, default: [null] },
    {
      name: 'inner',
      type: { type: 'record', name: 'Inner', fields: [{ name: 'n', type: 'int', default: 7 }] },
    },
    { name: 'day', type: { type: 'int', logicalType: 'date' } },
  ],
};

const sections: [name: string, schema: unknown][] = readdirSync(schemasDir).flatMap((file) => {
  if (!file.endsWith('.avsc')) return [];
  const json: unknown = JSON.parse(readFileSync(join(schemasDir, file), 'utf8'));
  if (!isCategorySchema(json)) return [];
  const parsed = parseCategorySchema(json);
  if (!parsed.ok) throw new Error(`${file} is no category schema`);
  const schema = parsed.value;
  return sectionsOf(schema).map((name): [string, unknown] => [
    `${file}, ${name}`,
    sectionSchema(schema, name),
  ]);
});

/** Ours, or undefined for what it refuses. */
function ours(shape: AvroShape): (value: unknown) => Uint8Array | undefined {
  const write = avroWriter(shape, { ruleOf: logicalRule, isClosed: true });
  return (value) => {
    try {
      return write(value);
    } catch (cause) {
      if (cause instanceof Unwritable) return undefined;
      throw cause;
    }
  };
}

/** Values that fit, and the same with something else in one place. */
function almost(value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  // avsc takes a list for a record whose fields all have defaults, and 'valueOf' for a symbol of every enum
  const isTaken = (one: unknown): boolean =>
    Array.isArray(one) || (typeof one === 'string' && one in Object.prototype);
  const json = fc.jsonValue({ maxDepth: 2 }).filter((one) => !isTaken(one));
  const other = fc.oneof(json, fc.constant(undefined));
  return fc.tuple(value, fc.nat(), other).map(([whole, at, one]) =>
    asJson(replaced(whole, at, one)),
  );
}

/** As it comes out of JSON: a field without a value is not there. */
function asJson(value: unknown): unknown {
  return value === undefined ? null : (JSON.parse(JSON.stringify(value)) as unknown);
}

function replaced(whole: unknown, at: number, one: unknown): unknown {
  if (typeof whole !== 'object' || whole === null) return at % 2 === 0 ? one : whole;
  const keys = Object.keys(whole);
  const key = keys[at % (keys.length + 1)];
  const copy = (Array.isArray(whole) ? [...whole] : { ...whole }) as Record<string, unknown>;
  // beyond the last one something is added
  const name = key ?? (Array.isArray(whole) ? String(keys.length) : 'added');
  copy[name] = key === undefined ? one : replaced(copy[key], at >> 2, one);
  return copy;
}

test.each([...sections, ['all that Avro has', WIDE]])(
  '%s: what fits is written as avsc writes it',
  (_name, schema) => {
    const shape = avroShape(schema);
    const type = avro.Type.forSchema(schema as avro.Schema, { logicalTypes: LOGICAL_TYPES });
    const write = ours(shape);
    fc.assert(
      fc.property(arbitraryOf(shape), (value) => {
        const wanted = type.toBuffer(value);
        expect(Buffer.from(write(value) ?? []).equals(wanted)).toBe(true);
      }),
      { numRuns: 60 },
    );
  },
);

/** avsc throws at an object in place of a text that has a `toString` of its own. */
function foundValid(type: avro.Type, value: unknown): boolean {
  try {
    return type.isValid(value, { noUndeclaredFields: true });
  } catch {
    return false;
  }
}

test.each([...sections, ['all that Avro has', WIDE]])(
  '%s: what avsc finds fault with is refused, and nothing else',
  (_name, schema) => {
    const shape = avroShape(schema);
    if (shape.kind !== 'record') throw new Error('a section is a record');
    const type = avro.Type.forSchema(schema as avro.Schema, { logicalTypes: LOGICAL_TYPES });
    const write = ours(shape);
    const known = new Set(shape.fields.map(({ name }) => name));
    let refused = 0;
    fc.assert(
      fc.property(almost(arbitraryOf(shape)), (value) => {
        // the outermost record's fields are one section's of several
        const isForeign =
          typeof value === 'object' &&
          value !== null &&
          Object.keys(value).some((name) => !known.has(name));
        fc.pre(!isForeign);
        const isValid = foundValid(type, value);
        if (!isValid) refused += 1;
        expect(write(value) !== undefined).toBe(isValid);
      }),
      { numRuns: 300 },
    );
    expect(refused).toBeGreaterThan(10);
  },
);

test.each([
  ['the shortest text of two bytes of length', 'x'.repeat(64)],
  ['a text whose bytes need a longer length than its characters', 'ü'.repeat(63)],
  ['a text between', `${'x'.repeat(8_190)}€`],
  ['no text', ''],
])('%s is written as avsc writes it', (_name, text) => {
  const type = avro.Type.forSchema('string');
  expect(Buffer.from(avroWriter(avroShape('string'))(text))).toEqual(type.toBuffer(text));
});

test.each([0, 1, -1, 63, 64, -64, -65, 2 ** 31, -(2 ** 31) - 1, 2 ** 53 - 2, -(2 ** 52)])(
  'the number %p is written as avsc writes it',
  (value) => {
    const type = avro.Type.forSchema('long');
    expect(Buffer.from(avroWriter(avroShape('long'))(value))).toEqual(type.toBuffer(value));
  },
);

test('a record that holds itself, and a union whose values name their branch', () => {
  const schema: unknown = {
    type: 'record',
    name: 'Tree',
    fields: [
      { name: 'below', type: { type: 'array', items: 'Tree' }, default: [] },
      { name: 'size', type: ['int', 'double'] },
    ],
  };
  const type = avro.Type.forSchema(schema as avro.Schema);
  const value = { below: [{ size: { double: 1.5 } }], size: { int: 1 } };
  const wanted = { below: [{ below: [], size: { double: 1.5 } }], size: { int: 1 } };
  expect(Buffer.from(avroWriter(avroShape(schema))(value))).toEqual(type.toBuffer(wanted));
});
