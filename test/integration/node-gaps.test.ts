import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ConsentStore } from '@concordat/consent/io/consent-store.js';
import { DE, FR, LANES, NodeWorld, UN, refusalOf } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import '../support/long-timeout.js';
import { until } from '../support/until.js';

const FEED = 'feed.un.de';

let world: NodeWorld;
beforeEach(() => {
  world = new NodeWorld();
});
afterEach(() => world.dispose());

const lanes = (topic = FEED) => world.log.lanes(topic);
const gapsOf = async () => (await world.partner(DE)).gaps;
const count = (name: string) => world.counter(DE, name);

async function publish(from: number, to: number): Promise<void> {
  for (let n = from; n < to; n += 1) await world.publish(n);
}

/** Publishes so many events for each lane, and waits until the feed holds them. */
async function feed(each: number): Promise<void> {
  const before = lanes().map(({ high }) => Number(high));
  const first = before.reduce((sum, n) => sum + n, 0);
  await publish(first, first + each * LANES);
  await until('all were released', () =>
    lanes().every(({ high }, lane) => Number(high) === (before[lane] ?? 0) + each),
  );
}

function loseAll(topic: string): void {
  const { length } = lanes(topic);
  world.log.deleteTopic(topic);
  world.log.createTopic(topic, length);
}

describe('missing feed blocks', () => {
  test('stop their lane by name while the origin is away; other lanes go on; then they are fetched', async () => {
    await world.start(UN);
    await feed(2);
    world.log.deleteRecordsBefore(FEED, 0, 1n);
    await world.stopConsent();
    await world.startNode(DE);
    await world.readable(DE, 2);
    await until('the gap is named with a reason', async () =>
      /\(.*\)/.test((await gapsOf())[0] ?? ''),
    );
    expect(await gapsOf()).toEqual([
      expect.stringMatching(/^feed\.un\.de\/0: missing 1 to 1 \(.+\)$/),
    ]);
    const held = [0, 1, 2, 3].map(eventId);
    const readings = await Promise.allSettled(held.map((id) => world.open(DE, id)));
    const warned = readings.flatMap((one) =>
      one.status === 'fulfilled' ? [one.value.warnings] : [],
    );
    expect(warned).toEqual(Array(2).fill(['events of un are missing here: see status']));

    await world.startConsent();
    await world.readable(DE, 4);
    expect(await gapsOf()).toEqual([]);
    expect((await world.open(DE, eventId(0))).warnings).toEqual([]);
    await feed(1);
    await world.readable(DE, 6);
    expect(await count('feed.blocks')).toBe(6);
  });

  test('that the origin no longer keeps stay a gap, which says so; nothing is skipped', async () => {
    await world.start(UN);
    await feed(2);
    world.log.deleteRecordsBefore(FEED, 0, 1n);
    await world.stopConsent();
    const store = new ConsentStore(join(world.dir, 'consent'));
    store.db.run('DELETE FROM kept WHERE lane = 0 AND number = 1');
    store.close();
    await world.start(DE);
    await world.startConsent();
    await until('the reason is named', async () =>
      /no longer keeps/.test((await gapsOf())[0] ?? ''),
    );
    await feed(1);
    await world.readable(DE, 3);
    expect(await gapsOf()).toEqual([
      'feed.un.de/0: missing 1 to 1 (feed.un.de/0 from number 1 on: the writer no longer keeps them, but from 2 on)',
    ]);
  });
});

describe('D5: a node that was offline for longer than its topic keeps', () => {
  test('does not jump to the newest: it names what is missing and gets it from the origin', async () => {
    await world.start(UN, DE);
    await feed(1);
    await world.readable(DE, 2);
    await world.stopNode(DE);
    await feed(3);
    for (const [lane, { high }] of lanes().entries()) {
      world.log.deleteRecordsBefore(FEED, lane, high - 1n);
    }
    await world.stopConsent();
    await world.startNode(DE);
    await until('both gaps are named', async () => (await gapsOf()).length === LANES);
    expect((await gapsOf()).map((gap) => gap.replace(/ \(.*/, ''))).toEqual([
      'feed.un.de/0: missing 2 to 3',
      'feed.un.de/1: missing 2 to 3',
    ]);
    expect(await world.partner(DE)).toMatchObject({ readable: 2 });
    const said = world.said.map(({ fields }) => fields.code);
    expect(said.filter((code) => code === 'LOG_RESTARTED')).toHaveLength(LANES);
    await world.startConsent();
    await world.readable(DE, 8);
    expect(await gapsOf()).toEqual([]);
  });
});

describe('D6: a topic that is deleted and made anew', () => {
  test('while the node reads: noticed, nothing has its effect again, and reading goes on', async () => {
    await world.start(UN, DE);
    await feed(2);
    await world.readable(DE, 4);
    const before = await world.node(DE).operator.stateDigest({}, { timeoutMs: 1 });
    const kept = lanes().map(({ records }) => records);
    loseAll(FEED);
    for (const [lane, records] of kept.entries()) world.log.append(FEED, lane, records.slice(0, 1));
    await world.counted(DE, `restarted.${FEED}`, LANES);
    await world.counted(DE, 'feed.duplicate', LANES);
    expect(await world.node(DE).operator.stateDigest({}, { timeoutMs: 1 })).toEqual(before);
    await publish(10, 12);
    await world.readable(DE, 6);
    expect(await gapsOf()).toEqual([]);
  });

  test('while the node is away: what was lost with it is fetched, though nothing new shows the gap', async () => {
    await world.start(UN, DE);
    await feed(1);
    await world.readable(DE, 2);
    await world.stopNode(DE);
    await feed(2);
    loseAll(FEED);
    await world.startNode(DE);
    await world.readable(DE, 6);
    expect(await count(`restarted.${FEED}`)).toBe(LANES);
    expect(await gapsOf()).toEqual([]);
  });

  test('of a purge ledger: no purge is undone and none has its effect again', async () => {
    await world.start(UN, DE);
    await feed(2);
    await world.readable(DE, 4);
    world.purges.purge(DE, eventId(0));
    await world.receipts(DE, 1);
    const [first] = world.records('purge.un.de');
    loseAll('purge.un.de');
    await world.counted(DE, 'restarted.purge.un.de', 1);
    world.log.append('purge.un.de', 0, [{ value: first?.value ?? new Uint8Array() }]);
    await world.counted(DE, 'purge.duplicate', 1);
    world.purges.purge(DE, eventId(1));
    expect(await world.receipts(DE, 2)).toHaveLength(2);
    expect(await refusalOf(world.open(DE, eventId(0)))).toMatchObject({ code: 'PURGED' });
    expect(await world.partner(DE)).toMatchObject({ tombstones: 2, readable: 2 });
  });

  test('of the own events: consent gets the blocks from the own node', async () => {
    await world.start(UN, DE);
    await feed(1);
    await world.readable(DE, 2);
    await world.stopConsent();
    await publish(10, 14);
    await until('the blocks are there', () => lanes('events.un').every(({ high }) => high === 3n));
    loseAll('events.un');
    await world.startConsent();
    await world.readable(DE, 6);
    await publish(20, 22);
    await world.readable(DE, 8);
  });
});

describe('FetchFeed', () => {
  const wanted = { lane: 0, epoch: 1, fromNumber: 1 };

  test('answers the caller its own feed, byte for byte as it was sent, and where the lane ends', async () => {
    await world.start(UN);
    await feed(3);
    for (const member of [DE, FR]) {
      const sent = lanes(`feed.un.${member}`)[0]?.records.map(({ value }) => Buffer.from(value));
      const { blocks, firstKept, head } = await world
        .feedService(member)
        .fetchFeed(wanted, { timeoutMs: 1 });
      expect(blocks.map((block) => Buffer.from(block))).toEqual(sent);
      expect([firstKept, head]).toEqual([1, 3]);
    }
    const later = await world
      .feedService(DE)
      .fetchFeed({ ...wanted, fromNumber: 3 }, { timeoutMs: 1 });
    expect(later.blocks).toHaveLength(1);
    const beyond = await world
      .feedService(DE)
      .fetchFeed({ ...wanted, fromNumber: 4 }, { timeoutMs: 1 });
    expect(beyond).toMatchObject({ blocks: [], head: 3 });
  });

  test.each([
    ['a number of 0', { fromNumber: 0 }, 'from_number'],
    ['an epoch of 0', { epoch: 0 }, 'epoch'],
  ])('refuses %s', async (_name, change, field) => {
    await world.startConsent();
    const call = world.feedService(DE).fetchFeed({ ...wanted, ...change }, { timeoutMs: 1 });
    const refused = await refusalOf(call);
    expect([refused.code, refused.message]).toEqual([
      'REQUEST_INVALID',
      expect.stringContaining(field),
    ]);
  });

  test('is for nodes of other members only', async () => {
    await world.startConsent();
    const call = world.feedService(UN).fetchFeed(wanted, { timeoutMs: 1 });
    expect(await refusalOf(call)).toMatchObject({ code: 'CALLER_NOT_ALLOWED' });
  });
});
