import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { sha256 } from '../../domain/bytes.js';
import type { Json } from '../../domain/strict-json.js';
import { openCategoryCodec } from './category-codec.js';

const field = (name: string, type: unknown, rest: object = {}) => ({
  ...{ name, type, section: 'identity', purge: 'purge' },
  ...rest,
});
const SCHEMA = JSON.stringify({
  type: 'record',
  name: 'Sample',
  namespace: 'concordat.category.v1',
  category: 'sample',
  sections: ['identity', 'remarks'],
  fields: [
    field('name', 'string'),
    field('aliases', { type: 'array', items: 'string' }, { default: [] }),
    field(
      'places',
      {
        type: 'array',
        items: {
          type: 'record',
          name: 'Place',
          fields: [field('city', ['null', 'string'], { default: null })],
        },
      },
      { default: [] },
    ),
    field('note', ['null', 'string'], { default: null, section: 'remarks' }),
    field('scores', { type: 'map', values: 'int' }, { default: {}, section: 'remarks' }),
  ],
});

const dir = mkdtempSync(join(tmpdir(), 'category-'));
afterAll(() => rmSync(dir, { recursive: true }));
writeFileSync(join(dir, 'sample.v1.avsc'), SCHEMA);
const codec = openCategoryCodec(dir);
const found = codec.find(sha256(Buffer.from(SCHEMA)));
if (!found) throw new Error('the schema is not there');
const type = found;

const encode = (event: Json) => {
  const encoded = type.encode(event);
  if (!encoded.ok) throw encoded.error;
  return encoded.value;
};

test('a schema is known by the hash of its file and by the first word of a category', () => {
  expect(codec.findByCategory('sample.a.b')).toBe(type);
  expect(codec.find(sha256(Buffer.from(`${SCHEMA} `)))).toBeUndefined();
});

test('an event is split into its sections and comes back', () => {
  const encoded = encode({ name: 'A', aliases: ['B', 'C'], note: 'D', scores: { x: 1 } });
  expect([...encoded.keys()]).toEqual(['identity', 'remarks']);
  const opened = [...encoded].map(([section, bytes]) => type.decode(section, bytes));
  expect(opened).toEqual([
    { ok: true, value: { name: 'A', aliases: ['B', 'C'], places: [] } },
    { ok: true, value: { note: 'D', scores: { x: 1 } } },
  ]);
});

test('all that is wrong with an event is named at once, and never what came', () => {
  const encoded = type.encode({ name: 7, colour: 'canary', scores: { x: 'canary' } });
  if (encoded.ok) throw new Error('expected a refusal');
  const { details, message } = encoded.error;
  expect(details.fields?.map(({ field }) => field)).toEqual(['$.colour', '$.name', '$.scores.x']);
  expect(message).toMatch(/^3 fields: \$\.colour: /);
  expect(JSON.stringify([details, message])).not.toContain('canary');
});

test.each<[name: string, event: Json, message: RegExp]>([
  ['an extra field', { name: 'A', colour: 'red' }, /^\$\.colour: a field that the schema does not/],
  ['a missing field', {}, /^\$\.name: expected string/],
  ['a wrong type', { name: 7 }, /^\$\.name: expected string/],
  ['a wrong item', { name: 'A', aliases: ['B', 7] }, /^\$\.aliases\.1: expected string/],
  [
    'a value too large for an int',
    { name: 'A', scores: { x: 2 ** 40 } },
    /^\$\.scores\.x: expected/,
  ],
  [
    'a list instead of an inner object',
    { name: 'A', places: [[]] },
    /^section identity: a value is not as the schema declares/,
  ],
  ['an extra inner field', { name: 'A', places: [{ colour: 'red' }] }, /^\$\.places\.0: expected/],
  ['a list instead of an object', [], /^\$: expected an object/],
  ['nothing', null, /^\$: expected an object/],
  [
    'more items than a recipient would decode',
    { name: 'A', aliases: Array.from({ length: 10_001 }, () => '') },
    /^section identity: \$\.aliases: more than 10000 items/,
  ],
])('%s is refused by its path', (_name, event, message) => {
  const encoded = type.encode(event);
  expect(encoded).toMatchObject({ ok: false, error: { code: 'EVENT_INVALID' } });
  expect(encoded.ok ? '' : encoded.error.message).toMatch(message);
});

test('a refusal never quotes a value', () => {
  const encoded = type.encode({ name: 'A', scores: { x: 'Jane Doe' } });
  expect(encoded.ok ? '' : encoded.error.message).not.toContain('Jane');
});

test('bytes that are no such section are refused', () => {
  const identity = encode({ name: 'A' }).get('identity') ?? new Uint8Array();
  for (const bytes of [identity.subarray(1), Uint8Array.of(...identity, 0), new Uint8Array()]) {
    expect(type.decode('identity', bytes)).toMatchObject({
      ok: false,
      error: { code: 'RECORD_MALFORMED' },
    });
  }
  expect(type.decode('colours', identity)).toMatchObject({ ok: false });
});

test('a map key __proto__ changes no prototype, and is refused', () => {
  const key = [18, ...Buffer.from('__proto__')];
  const bytes = Uint8Array.of(0, 2, ...key, 2, 0);
  expect(type.decode('remarks', bytes)).toMatchObject({ ok: false });
  expect(Object.getPrototypeOf({})).toBe(Object.prototype);
});

describe('two versions of a category', () => {
  const both = mkdtempSync(join(dir, 'both-'));
  const added = { name: 'colour', type: 'string', section: 'identity', purge: 'purge' };
  const json = JSON.parse(SCHEMA) as { readonly fields: readonly object[] };
  const newer = { ...json, fields: [...json.fields, { ...added, default: 'none' }] };
  writeFileSync(join(both, 'sample.v1.avsc'), SCHEMA);
  writeFileSync(join(both, 'sample.v2.avsc'), JSON.stringify(newer));
  writeFileSync(join(both, 'sample.v10.avsc'), JSON.stringify({ ...newer, doc: 'the newest' }));
  const versions = openCategoryCodec(both);
  const version = (number?: number) => {
    const wanted = versions.findByCategory('sample.a', number);
    if (!wanted) throw new Error('no such version');
    return wanted;
  };
  const identity = encode({ name: 'A', aliases: ['B'] }).get('identity') ?? new Uint8Array();

  test('are found by number, the newest unless another is asked for', () => {
    expect(version().version).toBe(10);
    expect(version(2).version).toBe(2);
    expect(versions.findByCategory('sample', 3)).toBeUndefined();
  });

  test('an event opens as it was written, and as the newer one with its default', () => {
    expect(version(1).decode('identity', identity)).toEqual({
      ok: true,
      value: { name: 'A', aliases: ['B'], places: [] },
    });
    expect(version(2).decode('identity', identity, version(1))).toEqual({
      ok: true,
      value: { name: 'A', aliases: ['B'], places: [], colour: 'none' },
    });
  });

  test('bytes are checked against the version that wrote them', () => {
    for (const bytes of [identity.subarray(1), Uint8Array.of(...identity, 0)]) {
      expect(version(2).decode('identity', bytes, version(1))).toMatchObject({
        ok: false,
        error: { code: 'RECORD_MALFORMED' },
      });
    }
    expect(version(2).decode('identity', identity)).toMatchObject({ ok: false });
  });
});

test('a category schema that breaks the rules is refused by file and path', () => {
  const bad = mkdtempSync(join(dir, 'bad-'));
  writeFileSync(join(bad, 'bad.v1.avsc'), SCHEMA.replace('"purge":"purge"', '"purge":"perhaps"'));
  expect(() => openCategoryCodec(bad)).toThrow(
    expect.objectContaining({ code: 'SCHEMA_INVALID', message: expect.stringMatching(/^bad\.v1/) }),
  );
});
