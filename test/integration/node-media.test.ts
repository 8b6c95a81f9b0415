import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { MemberId } from '@concordat/common/domain/ids.js';
import { type Verified, verifyStatement } from '@concordat/common/domain/statement.js';
import { codec } from '../support/federation.js';
import { officerOrder, orderId } from '../support/ledger.js';
import { lose } from '../support/losses.js';
import { DE, NodeWorld, UN, receiptOf } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import { until } from '../support/until.js';

let world: NodeWorld;
beforeEach(async () => {
  world = new NodeWorld();
  await world.start(UN, DE);
  for (const n of [1, 2, 3]) await world.publish(n);
  await world.readable(DE, 3);
});
afterEach(() => world.dispose());

const soon = { timeoutMs: 1 };
const HOUR_MS = 3_600_000;
const RECEIPTS = 'receipts.de.un';
const erase = (member: MemberId) => world.node(member).operator.eraseMedia({}, soon);
const keksOf = (member: MemberId) => {
  const dir = join(world.node(member).dataDir, 'keks');
  const names = readdirSync(dir).filter((name) => name.startsWith('generation'));
  return new Map(names.map((name) => [name, readFileSync(join(dir, name))]));
};

function erased(bytes: Uint8Array = new Uint8Array()): Verified<'MediaErased'> {
  const { keys } = world.members;
  const statement = verifyStatement(codec, keys, 'MediaErased', bytes, { signer: DE });
  if (!statement.ok) throw statement.error;
  return statement.value;
}
const last = () => world.records(RECEIPTS).at(-1)?.value;

/** The purge of one event at `de`, by an order of its own. */
async function purge(n: number): Promise<void> {
  const before = world.records(RECEIPTS).length;
  const entry = world.purges.next(DE, [eventId(n)], { orderId: orderId(n) });
  world.log.append('purge.un.de', 0, [{ value: entry }]);
  await world.receipts(DE, before + 1);
}

test('a holder says on its chain of receipts that the keys are destroyed which had wrapped the purged ones', async () => {
  const keks = keksOf(DE);
  await purge(1);
  expect(await world.status(DE)).toMatchObject({ unerased: 1, unerasedOverdue: 0 });
  expect(await erase(DE)).toEqual({ keys: 1, orders: 1, level: 'BEST_EFFORT' });
  await world.receipts(DE, 2);
  const receipt = receiptOf(world, world.records(RECEIPTS)[0]?.value ?? new Uint8Array());
  expect(erased(last()).value).toMatchObject({
    ...{ holder: DE, origin: UN, number: 2, previous: receipt.hash },
    ...{ generations: [1], orders: [orderId(1)], level: 'BEST_EFFORT' },
  });
  const now = keksOf(DE);
  for (const [name, kek] of keks) {
    expect(now.has(name)).toBe(false);
    expect([...now.values()].some((other) => other.equals(kek))).toBe(false);
  }
  for (const n of [2, 3]) expect(await world.read(DE, eventId(n))).toBeDefined();
  expect(await world.status(DE)).toMatchObject({ unerased: 0 });
  expect(await erase(DE)).toMatchObject({ keys: 0, orders: 0 });
  await purge(2);
  expect(receiptOf(world, last() ?? new Uint8Array()).value).toMatchObject({ number: 3 });
});

test('an order whose event had no key here is named all the same, without a generation', async () => {
  await purge(1);
  await erase(DE);
  const before = world.records(RECEIPTS).length;
  // what ended here with its retention is deleted, and its keys were destroyed, before its order comes
  world.ahead.wallMs += 31 * 24 * HOUR_MS;
  world.ahead.monotonicMs += 31 * 24 * HOUR_MS;
  await until('both have ended', async () => (await world.partner(DE)).tombstones === 3);
  expect(await erase(DE)).toMatchObject({ keys: 1, orders: 0 });
  expect(world.records(RECEIPTS)).toHaveLength(before);
  await purge(2);
  expect(await erase(DE)).toMatchObject({ keys: 0, orders: 1 });
  await world.receipts(DE, before + 2);
  expect(erased(last()).value).toMatchObject({ orders: [orderId(2)], generations: [2] });
});

test('what waits for longer than an hour is counted, and erased at the next start', async () => {
  await purge(1);
  world.ahead.wallMs += HOUR_MS + 1;
  expect(await world.status(DE)).toMatchObject({ unerased: 1, unerasedOverdue: 1 });
  await world.restart(DE);
  await world.receipts(DE, 2);
  expect(erased(last()).value.orders).toEqual([orderId(1)]);
  expect(await world.status(DE)).toMatchObject({ unerased: 0, unerasedOverdue: 0 });
  for (const n of [2, 3]) expect(await world.read(DE, eventId(n))).toBeDefined();
});

test('the clock does it without being asked, and destroys the keys of a vault that was lost', async () => {
  const [[name, kek] = ['', Buffer.alloc(0)]] = keksOf(DE);
  await purge(1);
  const { dataDir } = world.node(DE);
  await world.stopNode(DE);
  lose(dataDir, 'vault');
  await world.startNode(DE, { mediaErasureMs: 100 });
  await world.receipts(DE, 2);
  expect(erased(last()).value).toMatchObject({ orders: [orderId(1)], generations: [] });
  await world.readable(DE, 2);
  expect(keksOf(DE).get(name)?.equals(kek) ?? false).toBe(false);
});

test('a node that lost its state knows what it said, and what it still owes', async () => {
  await purge(1);
  await erase(DE);
  await world.receipts(DE, 2);
  await purge(2);
  const said = world.records(RECEIPTS).map(({ value }) => value);
  const { dataDir } = world.node(DE);
  await world.stopNode(DE);
  lose(dataDir, 'state');
  await world.startNode(DE);
  await until(
    'the ledger is applied again',
    async () => (await world.partner(DE)).tombstones === 2,
  );
  expect(await world.status(DE)).toMatchObject({ unerased: 1 });
  expect(await erase(DE)).toMatchObject({ orders: 1 });
  await world.receipts(DE, 4);
  expect(
    world
      .records(RECEIPTS)
      .map(({ value }) => value)
      .slice(0, 3),
  ).toEqual(said);
  expect(erased(last()).value).toMatchObject({ number: 4, orders: [orderId(2)] });
});

test('the origin destroys its own too, counts it, and tells nobody but its operator', async () => {
  const keks = [...keksOf(UN).keys()];
  const order = officerOrder(world.members, { orderId: orderId(9), ids: [eventId(1)] });
  const revocation = world.keyService({ member: UN, service: 'revocation' });
  await revocation.destroyKeys({ approvals: [], order }, soon);
  expect(await world.status(UN)).toMatchObject({ unerased: 1 });
  expect(await erase(UN)).toMatchObject({ keys: 1, orders: 1 });
  expect(await world.status(UN)).toMatchObject({ unerased: 0, outbox: 0 });
  expect([...keksOf(UN).keys()].filter((name) => keks.includes(name))).toEqual([]);
  for (const n of [2, 3]) expect(await world.read(UN, eventId(n))).toBeDefined();
});

test('the origin’s revocation shows it beside the receipt, and counts what is missing after an hour', async () => {
  await world.startRevocation();
  const ids = [eventId(1)];
  await world.purgeService.order(
    { order: officerOrder(world.members, { orderId: orderId(7), ids }) },
    soon,
  );
  const status = () => world.purgeService.status({ orderId: orderId(7) }, soon);
  const holder = async () => (await status()).holders[0];
  await until('it is closed', async () => (await status()).state === 'CLOSED');
  expect(await holder()).toMatchObject({ mediaErasedAtMs: 0, mediaLevel: '', mediaOverdue: false });
  world.ahead.wallMs += HOUR_MS + 1;
  expect(await holder()).toMatchObject({ mediaOverdue: true });
  const overdue = async () => (await world.purgeService.list({}, soon)).counters['media.overdue'];
  expect(await overdue()).toBe(1);
  await erase(DE);
  await until('it is told', async () => (await holder())?.mediaLevel === 'BEST_EFFORT');
  expect(await holder()).toMatchObject({ mediaOverdue: false, state: 'DELETED' });
  expect((await holder())?.mediaErasedAtMs).toBeGreaterThan(0);
  expect(await overdue()).toBe(0);
  const { mediaErasures } = await world.purgeService.receipts({ orderId: orderId(7) }, soon);
  expect(mediaErasures).toMatchObject([{ member: DE, number: 2, level: 'BEST_EFFORT' }]);
});
