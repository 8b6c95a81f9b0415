import type { AvroShape } from '@concordat/common/domain/avro-shape.js';
import { logicalRule } from '@concordat/common/domain/logical-types.js';
import fc from 'fast-check';

/** Values in JSON that a category schema takes, its logical types included. */
export function arbitraryOf(shape: AvroShape): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case 'primitive':
      return shape.logical === '' ? primitive(shape.type) : logical(shape.logical);
    case 'fixed':
      throw new TypeError('a category has no bytes');
    case 'enum':
      return fc.constantFrom(...shape.symbols);
    case 'array':
      return fc.array(arbitraryOf(shape.items), { maxLength: 4 });
    case 'map':
      return fc.dictionary(fc.string({ unit: 'grapheme' }), arbitraryOf(shape.items), {
        maxKeys: 4,
      });
    case 'union':
      return fc.oneof(...shape.branches.map(arbitraryOf));
    case 'record':
      return fc.record(
        Object.fromEntries(shape.fields.map((field) => [field.name, arbitraryOf(field.shape)])),
      );
  }
}

function primitive(type: string): fc.Arbitrary<unknown> {
  const makers: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
    null: fc.constant(null),
    boolean: fc.boolean(),
    int: fc.integer(),
    // avsc keeps clear of the ends of what a double holds exactly
    long: fc.integer({ min: -9e15, max: 9e15 }),
    double: fc.double({ noNaN: true, noDefaultInfinity: true }),
    string: fc.string({ unit: 'grapheme' }),
  };
  const maker = makers[type];
  if (!maker) throw new TypeError(`no values for ${type}`);
  return maker;
}

/** Of texts with a form of their own, some. */
const TEXTS: Readonly<Record<string, readonly string[]>> = {
  'short-text': ['x', 'Ünïcödé', 'x'.repeat(256)],
  'long-text': ['x', 'two\nlines', 'x'.repeat(4_000)],
  'partial-date': ['1970', '1970-12', '1970-12-31'],
  'icao-state': ['UTO', 'D'],
  'icao-document-code': ['P', 'AC'],
  'document-number': ['XA1234567', 'A-1/2.3 4'],
  currency: ['EUR', 'XTS'],
  iban: ['GB82WEST12345698765432', 'DE89370400440532013000'],
  bic: ['TESTXX00', 'TESTXX00XXX'],
  sha256: ['0123456789abcdef'.repeat(4)],
  'web-address': ['https://example.com/a?b=c#d'],
  'stix-indicator-id': ['indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f'],
  'stix-pattern': ['[a:b = 1]', "[ipv4-addr:value = '192.0.2.1'] WITHIN 5 SECONDS"],
};

function logical(name: string): fc.Arbitrary<unknown> {
  const rule = logicalRule(name);
  if (!rule) throw new TypeError(`no logical type ${name}`);
  const texts = TEXTS[name];
  if (texts) return fc.constantFrom(...texts);
  const max = rule.base === 'int' ? 100_000 : Number.MAX_SAFE_INTEGER;
  return fc
    .oneof(fc.integer({ min: -max, max }), fc.integer({ min: 0, max: 100 }))
    .map((value) => rule.decode(value))
    .filter((json) => json !== undefined);
}
