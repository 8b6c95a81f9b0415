import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { asUnixMs } from '@concordat/common/domain/ids.js';
import { officerOrder, orderId } from '../support/ledger.js';
import { DE, FR, NodeWorld, UN, refusalOf } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import { until } from '../support/until.js';

const TOPIC = 'receipts.de.un';
const DAY_MS = 86_400_000;
const soon = { timeoutMs: 1 };

let world: NodeWorld;
beforeEach(async () => {
  world = new NodeWorld();
  await world.start(UN, DE);
  for (const n of [1, 2]) await world.publish(n);
  await world.readable(DE, 2);
  await world.startRevocation();
});
afterEach(() => world.dispose());

async function order(n: number): Promise<void> {
  const issuedAtMs = world.clock.nowMs();
  const times = { issuedAtMs, deadlineMs: asUnixMs(issuedAtMs + DAY_MS) };
  const ids = [eventId(n)];
  const signed = officerOrder(world.members, { orderId: orderId(n), ids, ...times });
  await world.purgeService.order({ order: signed }, soon);
}
const reaches = (n: number, wanted: string) =>
  until(`order ${String(n)} is ${wanted}`, async () => {
    world.demandAlive();
    const { state } = await world.purgeService.status({ orderId: orderId(n) }, soon);
    return state === wanted;
  });

test('receipts that their topic lost are fetched from the holder, and the orders close', async () => {
  await order(1);
  await reaches(1, 'CLOSED');
  await world.stopNode(DE);
  await order(2);
  await reaches(2, 'APPENDED');
  await world.stopRevocation();
  // the holder answers, and the topic is cut before anybody reads it
  await world.startNode(DE);
  await world.receipts(DE, 2);
  world.log.deleteRecordsBefore(TOPIC, 0, world.log.lanes(TOPIC)[0]?.high ?? 0n);
  expect(world.records(TOPIC)).toHaveLength(0);
  await world.startRevocation();
  await reaches(2, 'CLOSED');
  expect(world.records(TOPIC)).toHaveLength(0);
});

test('a holder gives each origin its own receipts only, and nodes none', async () => {
  await order(1);
  await reaches(1, 'CLOSED');
  const from = { epoch: 1, fromNumber: 1 };
  const sent = world.records(TOPIC).map(({ value }) => Buffer.from(value));
  const own = await world.fetchReceipts(DE, from);
  expect(own).toMatchObject({ firstKept: 1, head: 1 });
  expect(own.blocks.map((bytes) => Buffer.from(bytes))).toEqual(sent);
  const other = await world.fetchReceipts(DE, from, { member: FR, service: 'revocation' });
  expect(other).toMatchObject({ blocks: [], head: 0 });
  for (const caller of [
    { member: UN, service: 'node' },
    { member: DE, service: 'revocation' },
  ] as const) {
    expect(await refusalOf(world.fetchReceipts(DE, from, caller))).toMatchObject({
      code: 'CALLER_NOT_ALLOWED',
    });
  }
});
