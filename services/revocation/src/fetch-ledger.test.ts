import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { orderId } from '../../../test/support/ledger.js';
import { eventId } from '../../../test/support/origin.js';
import { DE, FR, NL, RevocationWorld, codeOf } from '../../../test/support/revocation.js';
import '../../../test/support/long-timeout.js';
import { until } from '../../../test/support/until.js';
import { RevocationStore } from './io/revocation-store.js';

let world: RevocationWorld;
beforeEach(() => {
  world = new RevocationWorld();
});
afterEach(() => world.dispose());

/** So many orders of one event each, which de holds; fr holds the first event too. */
async function appended(count: number): Promise<void> {
  const ids = Array.from({ length: count }, (_, n) => eventId(n));
  world.ledger.publish(...ids.map((id) => ({ id })));
  world.ledger.release(DE, ...ids);
  world.ledger.release(FR, eventId(0));
  await world.start();
  await world.published(count);
  for (const [n, id] of ids.entries()) await world.order({ orderId: orderId(n), ids: [id] });
  await until('all are sent', () => world.entriesFor(DE).length === count);
}

const fetched = (member: typeof DE, fromNumber: number, epoch = 1) =>
  world.calls.ledger.fetchLedger({ epoch, fromNumber }, world.as(member));
const plain = (all: readonly Uint8Array[]) => all.map((one) => Buffer.from(one));

test('entries come again byte for byte, from the wanted number on', async () => {
  await appended(5);
  const sent = plain(world.entriesFor(DE));
  const all = await fetched(DE, 1);
  expect(plain(all.entries)).toEqual(sent);
  expect(all).toMatchObject({ firstKept: 1, head: 5 });
  expect(plain((await fetched(DE, 4)).entries)).toEqual(sent.slice(3));
  expect(await fetched(DE, 6)).toEqual({ entries: [], firstKept: 1, head: 5 });
  // also after a start, when the topic is gone
  await world.stop();
  world.log.deleteTopic('purge.un.de');
  world.log.createTopic('purge.un.de', 1);
  await world.start();
  expect(plain((await fetched(DE, 1)).entries)).toEqual(sent);
});

test('a caller gets its own chain and no other', async () => {
  await appended(2);
  expect(plain((await fetched(FR, 1)).entries)).toEqual(plain(world.entriesFor(FR)));
  expect(await fetched(FR, 1)).toMatchObject({ head: 1 });
  expect(await fetched(NL, 1)).toEqual({ entries: [], firstKept: 0, head: 0 });
});

test('an answer has a bounded size: what is larger comes in parts, a hole ends one', async () => {
  await appended(4);
  const { store } = await opened();
  const sent = plain(world.entriesFor(DE));
  const size = sent[0]?.length ?? 0;
  const parts = (rows: number, bytes: number, from = 1) =>
    plain(store.entries.consecutive(DE, from, { rows, bytes }));
  expect(parts(3, 1e6)).toEqual(sent.slice(0, 3));
  expect(parts(9, size * 2 + 8)).toEqual(sent.slice(0, 2));
  expect(parts(9, 1)).toEqual(sent.slice(0, 1));
  store.db.run("DELETE FROM purge_entry WHERE recipient = 'de' AND number = 3");
  expect(parts(9, 1e6)).toEqual(sent.slice(0, 2));
  expect(parts(9, 1e6, 3)).toEqual([]);
  store.close();
});

test('another epoch has no entries, and numbers below 1 are refused', async () => {
  await appended(1);
  expect(await fetched(DE, 1, 2)).toEqual({ entries: [], firstKept: 0, head: 0 });
  expect(await codeOf(fetched(DE, 0))).toBe('REQUEST_INVALID');
  expect(await codeOf(fetched(DE, 1, 0))).toBe('REQUEST_INVALID');
});

/** The store of the stopped service. */
async function opened() {
  await world.stop();
  return { store: new RevocationStore(world.dir) };
}
