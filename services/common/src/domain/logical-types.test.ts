import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LOGICAL_TYPE_NAMES, logicalRule } from './logical-types.js';

const ruleOf = (name: string) => {
  const rule = logicalRule(name);
  if (!rule) throw new Error(`no such logical type: ${name}`);
  return rule;
};

const long = (length: number): string => 'x'.repeat(length);

/** What each takes, and what it refuses: the edges of its range first. */
// prettier-ignore
const TABLE: Record<string, { takes: readonly unknown[]; refuses: readonly unknown[] }> = {
  date: {
    takes: ['1800-01-01', '2199-12-31', '2024-02-29'],
    refuses: ['1799-12-31', '2200-01-01', '2023-02-29', '2024-13-01', '1970-1-1', '1970-01-01T00:00:00Z', 0, null],
  },
  'timestamp-millis': {
    takes: ['1970-01-01T00:00:00.000Z', '2199-12-31T23:59:59.999Z'],
    refuses: ['1969-12-31T23:59:59Z', '2200-01-01T00:00:00Z', '2026-02-30T00:00:00Z', '2026-01-01T24:00:00Z', '2026-01-01T00:00:00+01:00', '2026-01-01', 0],
  },
  percent: { takes: [0, 100], refuses: [-1, 101, 0.5, '50'] },
  centimetres: { takes: [20, 300], refuses: [19, 301] },
  index: { takes: [0, 9_999], refuses: [-1, 10_000] },
  'minor-units': { takes: [0, 1e15], refuses: [-1, 1e15 + 1, 0.01] },
  'short-text': { takes: ['x', long(256), 'Ünïcödé'], refuses: ['', long(257), 'a\nb', 'a\u0000', 'a\u202eb', 7] },
  'long-text': { takes: ['x', long(65_536), 'a\n\tb'], refuses: ['', long(65_537), 'a\rb', 'a\u2066b'] },
  'partial-date': {
    takes: ['1800', '2199', '1970-12', '1970-12-31'],
    refuses: ['1799', '2200', '1970-13', '1970-02-30', '70', '1970-', ''],
  },
  'icao-state': { takes: ['UTO', 'D'], refuses: ['DE', 'deu', 'DEUT', ''] },
  'icao-document-code': { takes: ['P', 'PD', 'I', 'AC', 'V'], refuses: ['X', 'P<', 'PDX', 'p', ''] },
  'document-number': { takes: ['X', 'XA1234567', 'A-1/2.3 4'], refuses: ['', 'x1', ' X', 'X ', 'X'.repeat(33)] },
  currency: { takes: ['EUR'], refuses: ['eur', 'EURO', ''] },
  iban: {
    takes: ['GB82WEST12345698765432', 'DE89370400440532013000'],
    refuses: ['GB82WEST12345698765433', 'GB82 WEST 1234 5698 7654 32', 'gb82west12345698765432', ''],
  },
  bic: { takes: ['TESTXX00', 'TESTXX00XXX'], refuses: ['TESTXX0', 'TESTXX00XX', 'testxx00'] },
  sha256: { takes: ['0'.repeat(64)], refuses: ['0'.repeat(63), 'A'.repeat(64), ''] },
  'web-address': {
    takes: ['https://example.com/a?b=c#d', `http://${long(2_040)}`],
    refuses: ['example.com', 'https://', 'https://a b', 'javascript:x', `http://${long(2_041)}`],
  },
  'stix-indicator-id': {
    takes: ['indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f'],
    refuses: ['malware--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f', 'indicator--8E2E2D2B-17D4-4CBF-938F-98EE46B3CD3F'],
  },
  'stix-pattern': { takes: ['[a:b = 1]'], refuses: ['a:b = 1', '', 7] },
};

test('every logical type has its row', () => {
  expect(Object.keys(TABLE)).toEqual(LOGICAL_TYPE_NAMES);
  expect(logicalRule('colour')).toBeUndefined();
  expect(logicalRule(undefined)).toBeUndefined();
});

describe.each(Object.entries(TABLE))('%s', (name, { takes, refuses }) => {
  test.each(takes)('takes %j, and gives it back', (json) => {
    const value = ruleOf(name).encode(json);
    expect(value).toBeDefined();
    expect(typeof value).toBe(ruleOf(name).base === 'string' ? 'string' : 'number');
    expect(ruleOf(name).decode(value)).toBe(json);
  });

  test.each(refuses)('refuses %j', (json) => {
    expect(ruleOf(name).encode(json)).toBeUndefined();
  });
});

test.each<[name: string, value: unknown]>([
  ['date', -62_092],
  ['date', 84_006],
  ['date', 0.5],
  ['timestamp-millis', -1],
  ['timestamp-millis', 7_258_118_400_000],
  ['percent', 101],
  ['short-text', 'a\nb'],
  ['stix-pattern', 'a'],
])('a value that no writer of ours makes is refused when it is read: %s %j', (name, value) => {
  expect(ruleOf(name).decode(value)).toBeUndefined();
});

test('a time may come without milliseconds, and leaves with them', () => {
  const { encode, decode } = ruleOf('timestamp-millis');
  expect(decode(encode('2026-01-31T12:00:00Z'))).toBe('2026-01-31T12:00:00.000Z');
});

test('a time is what Date.parse says, with any number of digits of its fraction', () => {
  const inRange = fc.integer({ min: 0, max: Date.UTC(2200, 0, 1) - 1 });
  fc.assert(
    fc.property(inRange, fc.integer({ min: 0, max: 3 }), (ms, digits) => {
      const whole = new Date(ms).toISOString();
      const text = digits === 0 ? `${whole.slice(0, 19)}Z` : `${whole.slice(0, 20 + digits)}Z`;
      expect(ruleOf('timestamp-millis').encode(text)).toBe(Date.parse(text));
    }),
  );
});

test('of all days that can be written, those are taken that a month has', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1_795, max: 2_205 }),
      fc.integer({ min: 0, max: 13 }),
      fc.integer({ min: 0, max: 32 }),
      (year, month, date) => {
        const two = (value: number): string => String(value).padStart(2, '0');
        const text = `${String(year)}-${two(month)}-${two(date)}`;
        const ms = Date.UTC(year, month - 1, date);
        const isDay = new Date(ms).toISOString().startsWith(text) && year >= 1_800 && year < 2_200;
        expect(ruleOf('date').encode(text)).toBe(isDay ? ms / 86_400_000 : undefined);
      },
    ),
    { numRuns: 2_000 },
  );
});
