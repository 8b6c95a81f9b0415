import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseStrictJson } from './strict-json.js';
import { utf8 } from './bytes.js';

const LIMIT = 256 * 1024;
const parse = (text: string) => parseStrictJson(utf8(text), LIMIT);
const refusal = (text: string): string => {
  const parsed = parse(text);
  if (parsed.ok) throw new Error('expected a refusal');
  expect(parsed.error.code).toBe('EVENT_INVALID');
  return parsed.error.message;
};

test('any JSON value of harmless keys comes back as it was', () => {
  const key = fc
    .string()
    .filter((text) => !['__proto__', 'constructor', 'prototype'].includes(text));
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      fc.string({ unit: 'grapheme' }),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (n === 0 ? 0 : n)),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('tree'), { maxLength: 5 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 5, noNullPrototype: true }),
    ),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      expect(parse(JSON.stringify(value))).toEqual({ ok: true, value });
    }),
  );
});

test.each<[name: string, text: string, message: RegExp]>([
  ['a key that stands twice', '{"a":{"b":1,"b":2}}', /^\$\.a\.b: a key stands twice/],
  [
    'a key that stands twice in two spellings',
    String.raw`{"a":1,"\u0061":2}`,
    /^\$\.a: a key stands twice/,
  ],
  ['__proto__', '{"a":[{"__proto__":{}}]}', /^\$\.a\[0\]: a key that is not allowed/],
  ['an escaped __proto__', String.raw`{"\u005f_proto__":{}}`, /^\$: a key that is not allowed/],
  [
    'a key behind one that ends in backslashes',
    String.raw`{"a\\":1,"b\"":2,"b\"":3}`,
    /^\$\.b": a key stands twice/,
  ],
  ['constructor', '{"constructor":{}}', /^\$: a key that is not allowed/],
  ['33 levels', '['.repeat(33) + ']'.repeat(33), /^\$: deeper than 32/],
  ['half of a character', String.raw`{"a":["x","\ud800"]}`, /^\$\.a\[1\]: half of a character/],
  ['no JSON', '{"a":}', /^\$: expected JSON$/],
  ['two values', '{} {}', /^\$: expected JSON$/],
  ['nothing', '', /^\$: expected JSON$/],
  ['more than the limit', ' '.repeat(LIMIT + 1), /expected at most 262144 bytes, got 262145/],
])('%s is refused with its path', (_name, text, message) => {
  expect(refusal(text)).toMatch(message);
});

test('bytes that are no UTF-8 are refused', () => {
  const parsed = parseStrictJson(Uint8Array.of(0x22, 0xff, 0x22), LIMIT);
  expect(parsed).toMatchObject({ ok: false, error: { message: '$: expected UTF-8' } });
});

test('a refusal never quotes a value', () => {
  expect(refusal('{"name": "Jane Doe", oops}')).not.toContain('Jane');
});

test('no prototype changes, whatever is parsed', () => {
  refusal('{"__proto__":{"polluted":1}}');
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

test.each<[name: string, text: string]>([
  ['10,000 levels', '['.repeat(10_000)],
  ['an unclosed string of escaped quotes', `"${String.raw`\"`.repeat(LIMIT / 2 - 1)}`],
  ['the same, ending in a backslash', `"${String.raw`\"`.repeat(LIMIT / 2 - 2)}\\`],
  ['a quarter of a megabyte of commas', `[${','.repeat(LIMIT - 1)}`],
])('%s are refused fast', (_name, text) => {
  const startMs = performance.now();
  refusal(text);
  expect(performance.now() - startMs).toBeLessThan(500);
});
