import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ZERO_HASH } from '@concordat/common/domain/bytes.js';
import { asUnixMs } from '@concordat/common/domain/ids.js';
import type { Void } from '@concordat/common/domain/records.js';
import { SUITE } from '@concordat/common/domain/statement.js';
import { ConsentStore } from '@concordat/consent/io/consent-store.js';
import { DataStore } from '@concordat/node/io/data-store.js';
import { signAs } from '../support/ledger.js';
import { DE, FR, LANES, NodeWorld, UN, refusalOf } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import '../support/long-timeout.js';
import { until } from '../support/until.js';

const FEED = 'feed.un.de';
const asked = { timeoutMs: 1 };

let world: NodeWorld;
beforeEach(() => {
  world = new NodeWorld();
});
afterEach(() => world.dispose());

const gapsOf = async () => (await world.partner(DE)).gaps;

/** Blocks 1 and 2 of both lanes are sent; the topic and consent have lost the first so many of lane 0. */
async function lost(count: number): Promise<void> {
  await world.start(UN);
  for (let n = 0; n < 2 * LANES; n += 1) await world.publish(n);
  await until('all are sent', () => world.log.lanes(FEED).every(({ high }) => high === 2n));
  world.log.deleteRecordsBefore(FEED, 0, BigInt(count));
  await world.stopConsent();
  const store = new ConsentStore(join(world.dir, 'consent'));
  store.db.run('DELETE FROM kept WHERE topic = ? AND lane = 0 AND number <= ?', FEED, count);
  store.close();
  await world.startConsent();
  await world.startNode(DE);
}

const voided = (change: object = {}) =>
  world.consentService.voidFeed(
    {
      ...{ recipient: DE, lane: 0, fromNumber: 1, toNumber: 1, reason: 'a disk broke' },
      ...change,
    },
    asked,
  );

/** A void as a test wants it, signed by consent of un unless told otherwise. */
function signed(change: Partial<Void>, who: Parameters<typeof signAs>[1]): Uint8Array {
  return signAs(world.members, who, 'Void', {
    ...{ suite: SUITE, federation: 'test', origin: UN, keyId: '', chain: `${FEED}/0`, epoch: 1 },
    ...{ from: 1, to: 1, hash: ZERO_HASH, reason: 'none', timeMs: asUnixMs(Date.now()) },
    ...change,
  }).bytes;
}

test('a gap that nobody can fill is closed by the signed word of the origin, and that is kept', async () => {
  await lost(1);
  await until('the reason is named', async () => /no longer keeps/.test((await gapsOf())[0] ?? ''));
  expect(await world.partner(DE)).toMatchObject({ readable: 2 });
  const { chain, statement } = await voided();
  expect(chain).toBe('feed.un.de/0');
  expect(await voided()).toEqual({ chain, statement });
  await world.readable(DE, 3);
  expect(await gapsOf()).toEqual([]);
  expect(await world.counter(DE, `voids.${FEED}`)).toBe(1);
  expect((await world.open(DE, eventId(3))).warnings).toEqual([]);
  await world.publish(10);
  await world.publish(11);
  await world.readable(DE, 5);
  const { dataDir } = world.node(DE);
  await world.stopNode(DE);
  const data = new DataStore(join(dataDir, 'data.db'));
  const kept = data.chains.voidsAt(chain, 1, 1).map((one) => Buffer.from(one));
  data.close();
  expect(kept).toEqual([Buffer.from(statement)]);
});

test('the end of a feed is voided too, after a topic was made anew', async () => {
  await lost(2);
  world.log.deleteTopic(FEED);
  world.log.createTopic(FEED, LANES);
  await voided({ toNumber: 2 });
  for (let n = 20; n < 20 + LANES; n += 1) await world.publish(n);
  await world.readable(DE, 4);
  expect(await gapsOf()).toEqual([]);
});

test('what is still kept, or was never sent, is not voided', async () => {
  await lost(1);
  for (const change of [
    { toNumber: 2 },
    { fromNumber: 2, toNumber: 2 },
    { fromNumber: 0 },
    { lane: 1 },
    { recipient: UN },
    { reason: ' ' },
  ]) {
    expect(await refusalOf(voided(change))).toMatchObject({ code: 'REQUEST_INVALID' });
  }
  // nothing was signed for another member's feed, which is whole
  expect(await refusalOf(voided({ recipient: FR }))).toMatchObject({ code: 'REQUEST_INVALID' });
  await until('the gap stays', async () => (await gapsOf()).length === 1);
});

test.each<[name: string, change: Partial<Void>, who: Parameters<typeof signAs>[1], says: RegExp]>([
  ['of another chain', { chain: 'feed.un.de/1' }, { member: UN, role: 'consent' }, /another chain/],
  ['of another service', {}, { member: UN, role: 'revocation' }, /expected consent/],
  ['of another member', { origin: FR }, { member: FR, role: 'consent' }, /key of un/],
  ['over what is here', { to: 2 }, { member: UN, role: 'consent' }, /but 2 is here/],
  ['of what comes later', { from: 5, to: 6 }, { member: UN, role: 'consent' }, /but 2 is here/],
])('a void %s closes nothing', async (_name, change, who, says) => {
  await lost(1);
  await world.stopConsent();
  const store = new ConsentStore(join(world.dir, 'consent'));
  store.chains.keepVoid(
    `${FEED}/0`,
    { epoch: 1, from: 1, to: 1 },
    signed(change, who),
    asUnixMs(1),
  );
  store.close();
  await world.startConsent();
  await until('the reason is named', async () => says.test((await gapsOf())[0] ?? ''));
  expect(await world.partner(DE)).toMatchObject({ readable: 2 });
});

test('a purge entry is never left out, whatever the origin signs', async () => {
  await world.start(UN, DE);
  for (const n of [0, 1]) await world.publish(n);
  await world.readable(DE, 2);
  const { fetchLedger } = world;
  const value = signed({ chain: 'purge.un.de' }, { member: UN, role: 'revocation' });
  world.fetchLedger = () => ({ blocks: [], firstKept: 2, head: 2, voids: [value] });
  world.purges.next(DE, [eventId(0)]);
  world.purges.purge(DE, eventId(1));
  await until('the reason is named', async () => /left out/.test((await gapsOf())[0] ?? ''));
  expect(await world.partner(DE)).toMatchObject({ freshness: 'BEHIND', tombstones: 0 });
  world.fetchLedger = fetchLedger;
  await world.receipts(DE, 2);
});
