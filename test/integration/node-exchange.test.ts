import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { readBlock } from '@concordat/common/domain/block.js';
import { utf8 } from '@concordat/common/domain/bytes.js';
import { codec } from '../support/federation.js';
import {
  DE,
  FR,
  LANES,
  NodeWorld,
  RECIPIENTS,
  UN,
  contentOf,
  refusalOf,
} from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import { until } from '../support/until.js';

let world: NodeWorld;
const withWorld = (): void => {
  beforeEach(() => {
    world = new NodeWorld();
  });
  afterEach(() => world.dispose());
};

/** Every block on the topic, as any reader verifies it. */
function blocks() {
  const lanes = Array.from({ length: LANES }, (_, lane) => world.records('events.un', lane));
  return lanes.flat().map(({ value }) => {
    const block = readBlock(codec, world.members.keys, value, UN);
    if (!block.ok) throw block.error;
    return block.value;
  });
}

describe('an event', () => {
  withWorld();

  test('is published, released, and read field by field as it was handed in', async () => {
    await world.start(UN, DE, FR);
    const { id } = await world.publish(1);
    await world.readable(DE, 1);
    await world.readable(FR, 1);
    expect(await world.read(DE, id)).toMatchObject(contentOf(1));
    expect(await world.read(FR, id)).toMatchObject({
      firstName: contentOf(1)['firstName'],
      aliases: contentOf(1)['aliases'],
    });
    expect((await world.status(UN)).released).toEqual({ de: 1, fr: 1 });
  });

  test('is held by a recipient in the released sections only, as ciphertext and as key', async () => {
    await world.start(UN, DE, FR);
    const { id } = await world.publish(1);
    await world.readable(FR, 1);
    const { sections } = await world.open(FR, id);
    expect(sections.map(({ name }) => name)).toEqual(['aliases', 'identity']);
    const holders = await world.node(UN).operator.holders({ eventId: id }, { timeoutMs: 1 });
    expect(holders.holders.find(({ member }) => member === FR)?.sections).toEqual([
      'aliases',
      'identity',
    ]);
    await world.stopNode(FR);
    const { DataStore } = await import('@concordat/node/io/data-store.js');
    const data = new DataStore(join(world.dir, 'node-fr', 'data.db'));
    expect(data.holdings().map(({ section }) => section)).toEqual(['aliases', 'identity']);
    data.close();
  });

  test('that was published before gets the first result, also while its block is made', async () => {
    await world.start(UN, DE);
    const both = await Promise.all([world.publish(1), world.publish(1, { legalBasis: 'another' })]);
    const later = await world.publish(1, {}, { firstName: 'somebody else' });
    const { repeated: _, ...first } = both[0];
    expect(both[1]).toEqual({ ...first, repeated: true });
    expect(later).toEqual({ ...first, repeated: true });
    await world.readable(DE, 1);
    expect(await world.read(DE, eventId(1))).toMatchObject(contentOf(1));
    expect(blocks().flatMap(({ envelopes }) => envelopes)).toHaveLength(1);
  });

  test('stays on the lane of the one that it replaces', async () => {
    await world.start(UN);
    const first = await world.publish(1);
    await world.publish(2);
    const next = await world.publish(3, { supersedes: first.id });
    expect(next.lane).toBe(first.lane);
  });

  test.each([[1], [50], [700]])('is never forgotten among %d at once', async (count) => {
    await world.start(UN);
    const first = await world.publish(9_999);
    const all = await Promise.all(
      Array.from({ length: count }, (_, n) =>
        world.publish(n, n % 5 === 0 ? { supersedes: first.id } : {}, { firstName: 'A' }),
      ),
    );
    const places = all.map(({ lane, blockNumber, leaf }) => `${lane}/${blockNumber}/${leaf}`);
    expect(new Set(places).size).toBe(count);
    await until('all blocks are on the topic', () => {
      return blocks().reduce((sum, { envelopes }) => sum + envelopes.length, 0) === count + 1;
    });
    expect(Math.max(...blocks().map(({ envelopes }) => envelopes.length))).toBeLessThanOrEqual(256);
  });
});

describe('a publication that is not as it should be is refused by its path, and nothing is sent', () => {
  let one: NodeWorld;
  beforeAll(async () => {
    one = new NodeWorld();
    await one.startNode(UN);
  });
  afterEach(() => {
    expect(one.records('ledger.un')).toEqual([]);
    for (const { records } of one.log.lanes('events.un')) expect(records).toEqual([]);
  });
  afterAll(() => one.dispose());
  test('with all of its fields, by their paths, and nothing of what they hold', async () => {
    const change = {
      eventId: 'canary',
      collectedAtMs: -1,
      handling: { tlp: 'canary', europol: 'H1', source: 'A', information: 1 },
      audience: { byAgreement: false, members: ['un', 'canary-canary'] },
    };
    const { code, details } = await refusalOf(one.publish(1, change, { firstName: 7, colour: 1 }));
    expect(code).toBe('REQUEST_INVALID');
    expect(details.fields?.map(({ field }) => field)).toEqual([
      ...['event_id', '$.colour', '$.firstName', 'collected_at_ms', 'handling.tlp'],
      'audience.members[1]',
    ]);
    expect(JSON.stringify(details)).not.toContain('canary');
  });

  const content = (text: string) => ({ contentJson: utf8(text) });

  test.each<[name: string, change: object, code: string, message: RegExp]>([
    ['an extra field', content('{"colour":"red"}'), 'EVENT_INVALID', /\$\.colour/],
    ['a wrong type', content('{"firstName":7}'), 'EVENT_INVALID', /\$\.firstName/],
    [
      'a missing field',
      content('{"remarks":[{"of":"A","index":0}]}'),
      'EVENT_INVALID',
      /remarks\.0\.text/,
    ],
    ['__proto__', content('{"__proto__":{"a":1}}'), 'EVENT_INVALID', /\$: a key that/],
    [
      'constructor',
      content('{"aliases":[{"constructor":1}]}'),
      'EVENT_INVALID',
      /\$\.aliases\[0\]/,
    ],
    ['a key twice', content('{"firstName":"A","firstName":"B"}'), 'EVENT_INVALID', /\$\.firstName/],
    ['10,000 levels', content('['.repeat(10_000)), 'EVENT_INVALID', /deeper than 32/],
    ['no JSON', content('{'), 'EVENT_INVALID', /\$: expected JSON/],
    ['no id', { eventId: 'one' }, 'REQUEST_INVALID', /event_id/],
    ['another schema', { schemaHash: new Uint8Array(32) }, 'SCHEMA_UNKNOWN', /schema_hash/],
    ['a category of another schema', { category: 'report.a' }, 'REQUEST_INVALID', /category/],
    ['no purpose', { purposes: [] }, 'EVENT_INVALID', /purposes: expected 1 to 16/],
    ['a purpose of two words', { purposes: ['a b'] }, 'REQUEST_INVALID', /purposes/],
    ['no legal basis', { legalBasis: '' }, 'EVENT_INVALID', /legalBasis/],
    ['no handling', { handling: undefined }, 'REQUEST_INVALID', /handling/],
    [
      'an unknown handling code',
      { handling: { tlp: 'BLUE', europol: 'H1', source: 'A', information: 1 } },
      'REQUEST_INVALID',
      /handling\.tlp/,
    ],
    [
      'a retention that is over before it began',
      { retainUntilMs: 1 },
      'EVENT_INVALID',
      /retainUntil/,
    ],
    ['a year beyond 9999', { retainUntilMs: 2 ** 52 }, 'REQUEST_INVALID', /retain_until_ms/],
    [
      'an audience of both kinds',
      { audience: { byAgreement: true, members: ['de'] } },
      'REQUEST_INVALID',
      /audience/,
    ],
    [
      'an audience without end',
      { audience: { byAgreement: false, members: Array<string>(257).fill('de') } },
      'REQUEST_INVALID',
      /audience\.members: expected at most 256, got 257/,
    ],
    ['a predecessor that is none', { supersedes: eventId(77) }, 'EVENT_UNKNOWN', /supersedes/],
  ])('%s', async (_name, change, code, message) => {
    const refusal = await refusalOf(one.publish(1, change));
    expect(refusal.code).toBe(code);
    expect(refusal.message).toMatch(message);
  });

  test.each<[name: string, change: object, code: string, sizes: RegExp]>([
    [
      'content of 256 KiB and a byte',
      content(`{"firstName":"${'a'.repeat(256 * 1024 + 1 - 16)}"}`),
      'EVENT_INVALID',
      /at most 262144 bytes, got 262145/,
    ],
    [
      'a section of 192 KiB',
      content(`{"firstName":"${'a'.repeat(192 * 1024)}"}`),
      'ENVELOPE_TOO_LARGE',
      /section identity has 1966\d\d bytes, at most 196607/,
    ],
    [
      'sections of more than 240 KiB of ciphertext together',
      content(
        `{"firstName":"${'a'.repeat(150 * 1024)}","aliases":[{"aliasName":"${'b'.repeat(60 * 1024)}"}]}`,
      ),
      'ENVELOPE_TOO_LARGE',
      /have 26\d{4} bytes together, at most 245760/,
    ],
  ])('%s, naming size and limit', async (_name, change, code, sizes) => {
    const refusal = await refusalOf(one.publish(1, change));
    expect(refusal.code).toBe(code);
    expect(refusal.message).toMatch(sizes);
  });
});

describe('a node', () => {
  withWorld();

  test('without a consent service publishes nothing, and says so', async () => {
    await world.start(UN, DE);
    const { national } = world.node(DE);
    const refusal = await refusalOf(national.publish(world.request(1), { timeoutMs: 1 }));
    expect(refusal).toMatchObject({ code: 'REQUEST_INVALID' });
  });

  test('leaves no byte on disk or on a topic, and no line of a log, that holds content in plain', async () => {
    await world.start(UN, ...RECIPIENTS);
    const { id } = await world.publish(1);
    await world.readable(DE, 1);
    await world.read(DE, id);
    await refusalOf(world.open(DE, id, 'Canary 1 Ada'));
    await world.stopNode(DE);
    const files = readdirSync(world.dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
    const topics = ['events.un', 'feed.un.de', 'feed.un.fr', 'ledger.un'].flatMap((topic) =>
      world.log
        .lanes(topic)
        .flatMap(({ records }) => records.map(({ value }) => Buffer.from(value))),
    );
    expect(files.length).toBeGreaterThan(8);
    expect(topics.length).toBeGreaterThan(3);
    const everything = Buffer.concat([
      ...files,
      ...topics,
      Buffer.from(JSON.stringify(world.said)),
    ]);
    for (const text of ['Canary 1 Ada', 'Countess Lovelace', 'K1000001', 'Canary remark 1']) {
      for (const encoding of ['utf8', 'utf16le', 'hex', 'base64'] as const) {
        const spelled =
          encoding === 'utf16le'
            ? Buffer.from(text, 'utf16le')
            : Buffer.from(text).toString(encoding);
        expect([text, encoding, everything.includes(spelled)]).toEqual([text, encoding, false]);
      }
    }
  });
});
