import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { asConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import { codec } from '../support/federation.js';
import { officerOrder, orderId } from '../support/ledger.js';
import { STORES, type Store, copyStore, lose, putBack } from '../support/losses.js';
import {
  DE,
  NodeWorld,
  UN,
  contentOf,
  refusalOf,
  receiptOf as verifiedReceipt,
} from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import { until } from '../support/until.js';

const soon = { timeoutMs: 1 };

let world: NodeWorld;
beforeEach(() => {
  world = new NodeWorld();
});
afterEach(() => world.dispose());

const order = (n: number, ...ids: EventId[]) =>
  officerOrder(world.members, { orderId: orderId(n), ids });
const destroy = (bytes: Uint8Array) =>
  world
    .keyService({ member: UN, service: 'revocation' })
    .destroyKeys({ approvals: [], order: bytes }, soon);

/** Order, seal, and the entry on the purge ledger of `de`. */
async function purge(n: number) {
  const seal = await destroy(order(n, eventId(n)));
  world.purges.purge(DE, eventId(n));
  return seal;
}

async function outcome(member: MemberId, id: EventId): Promise<string> {
  try {
    await world.open(member, id);
    return 'READ';
  } catch (cause) {
    return asConcordatError(cause).code;
  }
}

/** The stores of this member's node as a broken disk leaves them. */
async function withLost(member: MemberId, ...stores: readonly Store[]): Promise<void> {
  const { dataDir } = world.node(member);
  await world.stopNode(member);
  lose(dataDir, ...stores);
  await world.startNode(member);
}

const receiptBytes = () => world.records('receipts.de.un').map(({ value }) => value);
const receiptOf = (bytes: Uint8Array) => verifiedReceipt(world, bytes).value;

/** Events 1 to 4 are held by `de`, 1 is purged and receipted. */
async function shared(): Promise<void> {
  await world.start(UN, DE);
  for (const n of [1, 2, 3, 4]) await world.publish(n);
  await world.readable(DE, 4);
  await purge(1);
  await world.receipts(DE, 1);
}

/** What must hold after any loss: 1 is gone, the rest can be read, life goes on, and every receipt stays the same. */
async function demandWhole(receipts: readonly Uint8Array[], readers = [UN, DE]): Promise<void> {
  await world.publish(5);
  // how many are readable says little while a purge is applied again
  await until('the newest is read', async () => (await outcome(DE, eventId(5))) === 'READ');
  await world.readable(DE, 4);
  for (const member of readers) {
    for (const n of [2, 3, 4, 5]) {
      expect([member, n, await outcome(member, eventId(n))]).toEqual([member, n, 'READ']);
    }
    expect(await outcome(member, eventId(1))).toBe('PURGED');
  }
  await purge(2);
  await world.receipts(DE, receipts.length + 1);
  expect(receiptBytes().slice(0, receipts.length)).toEqual(receipts);
  const numbers = receiptBytes().map((bytes) => receiptOf(bytes).number);
  expect(numbers).toEqual(numbers.map((_, at) => at + 1));
  expect(receiptBytes().map(receiptOf).at(-1)).toMatchObject({ stage: 'DELETED', entryNumber: 2 });
  for (const member of [UN, DE]) {
    const { rows, keys, tombstones } = await world.inventory(member);
    const held = new Set([...rows, ...keys]);
    expect([...held].filter((name) => tombstones.includes(name))).toEqual([]);
    expect(tombstones).toHaveLength(2);
  }
  world.demandAlive();
}

describe('a recipient', () => {
  test.each<[string, readonly Store[]]>([
    ...STORES.map((store): [string, readonly Store[]] => [store, [store]]),
    ['data and vault', ['data', 'vault']],
    ['vault and state', ['vault', 'state']],
    ['data and state', ['data', 'state']],
    ['everything', STORES],
  ])('that lost %s has all back that may be read, and nothing else', async (_name, stores) => {
    await shared();
    const receipts = receiptBytes();
    await withLost(DE, ...stores);
    await demandWhole(receipts);
  });

  test('without its vault has the rows waiting, and says so, until the origin gives the keys again', async () => {
    await shared();
    await world.stopNode(UN);
    await withLost(DE, 'vault');
    expect(await world.partner(DE)).toMatchObject({ readable: 0, waiting: 3 });
    await until('it is fresh', async () => (await world.partner(DE)).freshness === 'FRESH');
    expect(await outcome(DE, eventId(2))).toBe('NOT_READABLE_YET');
    await world.startNode(UN);
    await world.readable(DE, 3);
    expect(await world.read(DE, eventId(2))).toMatchObject(contentOf(2));
    // the old record names it already
    expect((await world.status(UN)).released).toEqual({ de: 4 });
  });

  test('without the files that open its vault asks for the keys again', async () => {
    await shared();
    const { dataDir } = world.node(DE);
    await world.stopNode(DE);
    rmSync(join(dataDir, 'keks'), { recursive: true });
    await world.startNode(DE);
    await world.readable(DE, 3);
    expect(await world.read(DE, eventId(2))).toMatchObject(contentOf(2));
  });

  test('without its state reads nothing before the purge ledger is applied up to the head that a fresh answer names', async () => {
    await shared();
    world.purges.isUp = false;
    await withLost(DE, 'state');
    expect(await outcome(DE, eventId(2))).toBe('NOT_FRESH');
    world.purges.isUp = true;
    await until('it is fresh', async () => (await world.partner(DE)).freshness === 'FRESH');
    expect(await outcome(DE, eventId(2))).toBe('READ');
    expect(await outcome(DE, eventId(1))).toBe('PURGED');
  });

  test('with its data put back from before a purge deletes what came back before it serves', async () => {
    await world.start(UN, DE);
    for (const n of [1, 2, 3, 4]) await world.publish(n);
    await world.readable(DE, 4);
    const { dataDir } = world.node(DE);
    const copies = join(world.dir, 'copies');
    await world.stopNode(DE);
    for (const store of STORES) copyStore(dataDir, store, copies);
    await world.startNode(DE);
    await purge(1);
    await world.receipts(DE, 1);
    const receipts = receiptBytes();
    await world.stopNode(DE);
    putBack(dataDir, 'data', copies);
    putBack(dataDir, 'vault', copies);
    world.purges.isUp = false;
    await world.startNode(DE);
    const { rows, keys, tombstones } = await world.inventory(DE);
    expect([rows.length, keys.length]).toEqual([3, 3]);
    expect(rows).not.toContain(tombstones[0]);
    world.purges.isUp = true;
    await demandWhole(receipts);
  });

  test('with all stores put back from before a purge takes its receipts over instead of writing them again', async () => {
    await world.start(UN, DE);
    for (const n of [1, 2, 3, 4]) await world.publish(n);
    await world.readable(DE, 4);
    const { dataDir } = world.node(DE);
    const copies = join(world.dir, 'copies');
    await world.stopNode(DE);
    for (const store of STORES) copyStore(dataDir, store, copies);
    await world.startNode(DE);
    await purge(1);
    await world.receipts(DE, 1);
    const receipts = receiptBytes();
    await world.stopNode(DE);
    for (const store of STORES) putBack(dataDir, store, copies);
    await world.startNode(DE);
    await demandWhole(receipts);
  });

  test('that lost its state asks its copy systems as before', async () => {
    await world.start(UN, DE);
    for (const n of [1, 2]) await world.publish(n);
    await world.readable(DE, 2);
    await world.node(DE).national.registerSystem({ systemId: 'db', kind: 'copy' }, soon);
    await withLost(DE, 'state');
    await until('it is fresh', async () => (await world.partner(DE)).freshness === 'FRESH');
    await purge(1);
    await until('the purge is applied', async () => (await world.partner(DE)).purgeApplied === 1);
    const systems = async () => (await world.node(DE).national.listSystems({}, soon)).systems;
    expect(await systems()).toMatchObject([{ systemId: 'db', kind: 'copy', outstanding: 1 }]);
    await world.receipts(DE, 1);
    await world
      .node(DE)
      .national.acknowledge(
        { systemId: 'db', cursor: '', withdrawn: [{ origin: UN, eventId: eventId(1) }] },
        soon,
      );
    await world.receipts(DE, 2);
    expect(receiptBytes().map((bytes) => receiptOf(bytes).stage)).toEqual(['OPEN', 'DELETED']);
  });

  test('that lost its state while a receipt was open asks its copy systems once more', async () => {
    await world.start(UN, DE);
    await world.node(DE).national.registerSystem({ systemId: 'db', kind: 'copy' }, soon);
    await world.publish(1);
    await world.readable(DE, 1);
    await purge(1);
    const open = await world.receipts(DE, 1);
    await withLost(DE, 'state');
    const { national } = world.node(DE);
    await until('the system is asked', async () => {
      const [system] = (await national.listSystems({}, soon)).systems;
      return system?.outstanding === 1;
    });
    expect(receiptBytes()).toEqual(open);
    const withdrawn = [{ origin: UN, eventId: eventId(1) }];
    await national.acknowledge({ systemId: 'db', cursor: '', withdrawn }, soon);
    const [, final = new Uint8Array()] = await world.receipts(DE, 2);
    expect(receiptOf(final)).toMatchObject({
      ...{ stage: 'DELETED', number: 2 },
      outcomes: [{ id: eventId(1), outcome: 'DELETED' }],
    });
    expect(receiptOf(final).opened).not.toBeNull();
  });
});

describe('an origin', () => {
  test.each<[string, readonly Store[]]>([
    ['data', ['data']],
    ['state', ['state']],
    ['data and state', ['data', 'state']],
  ])('that lost %s has holders, seals and heads again', async (_name, stores) => {
    await shared();
    const receipts = receiptBytes();
    const holders = await world.node(UN).operator.holders({ eventId: eventId(2) }, soon);
    const status = await world.status(UN);
    await withLost(UN, ...stores);
    expect(await world.node(UN).operator.holders({ eventId: eventId(2) }, soon)).toEqual(holders);
    const now = await world.status(UN);
    for (const name of ['published', 'released', 'ledgerRecords'] as const) {
      expect(now[name]).toEqual(status[name]);
    }
    await demandWhole(receipts);
  });

  test('that lost its vault cannot read its own events again, gives no keys of them, and can still take them back', async () => {
    await shared();
    await withLost(UN, 'vault');
    expect(await outcome(UN, eventId(2))).toBe('KEY_LOST');
    expect(await outcome(DE, eventId(2))).toBe('READ');
    await withLost(DE, 'vault');
    await until('it is told', async () => (await outcome(DE, eventId(2))) === 'RELEASE_WITHHELD');
    await world.publish(5);
    await world.readable(DE, 1);
    expect(await outcome(UN, eventId(5))).toBe('READ');
    await purge(2);
    await world.receipts(DE, 2);
  });

  test('that lost its state answers an order that was sealed before with the same seal record', async () => {
    await shared();
    const both = order(9, eventId(3), eventId(2));
    const before = await destroy(both);
    await withLost(UN, 'state');
    const after = await destroy(both);
    expect(Buffer.from(after.sealRecord)).toEqual(Buffer.from(before.sealRecord));
    expect(Buffer.from(after.evidence)).toEqual(Buffer.from(before.evidence));
    expect(await refusalOf(destroy(order(9, eventId(4))))).toMatchObject({ code: 'ORDER_INVALID' });
    expect(await outcome(UN, eventId(4))).toBe('READ');
  });

  test('that lost its state gives no key of what is sealed', async () => {
    await shared();
    await destroy(order(9, eventId(2)));
    await withLost(UN, 'state');
    await withLost(DE, 'vault');
    await until('it is deleted', async () => (await outcome(DE, eventId(2))) === 'PURGED');
    await world.readable(DE, 2);
  });

  test('records a block that reached its topic before the ledger did', async () => {
    await shared();
    // nobody asks for its keys: the publication is the ledger's last record
    await world.stopNode(DE);
    await world.publish(5);
    const { dataDir } = world.node(UN);
    await world.stopNode(UN);
    cutLast('ledger.un', 0);
    lose(dataDir, 'state');
    await world.startNode(UN);
    expect((await world.status(UN)).published).toBe(5);
    await world.startNode(DE);
    await world.readable(DE, 4);
    expect(await outcome(DE, eventId(5))).toBe('READ');
  });

  test('sends a block that reached the ledger before its topic', async () => {
    await shared();
    await world.stopConsent();
    const { lane } = await world.publish(5);
    const { dataDir } = world.node(UN);
    await world.stopNode(UN);
    const lost = cutLast('events.un', lane);
    lose(dataDir, 'state');
    const length = world.records('events.un', lane).length;
    await world.startNode(UN);
    await until('it is there again', () => world.records('events.un', lane).length > length);
    const again = world.records('events.un', lane).at(-1)?.value;
    expect(again && statementIn(again)).toEqual(lost && statementIn(lost));
    await world.startConsent();
    await world.readable(DE, 4);
    expect(await outcome(DE, eventId(5))).toBe('READ');
  });

  test('refuses to serve from a ledger topic that lacks a record, and touches nothing', async () => {
    await shared();
    await world.stopNode(UN);
    world.log.deleteRecordsBefore('ledger.un', 0, 2n);
    lose(join(world.dir, 'node-un'), 'state');
    expect(await refusalOf(world.startNode(UN))).toMatchObject({ code: 'STATE_LOST' });
  });

  test('refuses to serve where the topics know less than its rows: it would drop their keys', async () => {
    await shared();
    await world.stopNode(UN);
    for (const topic of ['ledger.un', 'events.un']) {
      const lanes = world.log.lanes(topic).length;
      world.log.deleteTopic(topic);
      world.log.createTopic(topic, lanes);
    }
    lose(join(world.dir, 'node-un'), 'state');
    expect(await refusalOf(world.startNode(UN))).toMatchObject({ code: 'STATE_LOST' });
  });
});

/** The broker loses the newest record of a lane. */
function cutLast(topic: string, lane: number): Uint8Array | undefined {
  const held = world.log.lane(topic, lane);
  const last = held.records.pop();
  held.high -= 1n;
  return last?.value;
}

function statementIn(value: Uint8Array): Uint8Array {
  const block = codec.decode('Block', value);
  if (!block.ok) throw block.error;
  return block.value.statement;
}
