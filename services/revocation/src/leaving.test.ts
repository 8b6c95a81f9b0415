import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { asUnixMs } from '@concordat/common/domain/ids.js';
import type { PurgeOrder } from '@concordat/common/domain/records.js';
import { codec } from '../../../test/support/federation.js';
import { DAY_MS, officerApproval, officerOrder, orderId } from '../../../test/support/ledger.js';
import { NOW, eventId } from '../../../test/support/origin.js';
import { DE, FR, NL, RevocationWorld, UN, codeOf } from '../../../test/support/revocation.js';
import '../../../test/support/long-timeout.js';
import { until } from '../../../test/support/until.js';
import { storedStatement } from './flows/stored-statement.js';

const [A, B, C, D] = [eventId(1), eventId(2), eventId(3), eventId(4)];
const LEAVE = orderId(1);

let world: RevocationWorld;
beforeEach(() => {
  world = new RevocationWorld();
  world.ledger.publish({ id: A }, { id: B }, { id: C });
  world.ledger.publish({ id: D });
  world.ledger.release(DE, A, B);
  world.ledger.release(FR, A, C);
  world.ledger.release(DE, D);
});
afterEach(() => world.dispose());

const leaveOrder = (change: Partial<PurgeOrder> = {}) =>
  officerOrder(world.federation, {
    ...{ orderId: LEAVE, ids: [], recipients: [DE], reason: 'partner_withdrawn', ...change },
  });
const place = (order: Uint8Array) => world.calls.purge.order({ order }, world.as(UN));
const approve = (order: Uint8Array) =>
  world.calls.purge.approve({ approval: officerApproval(world.federation, order) }, world.as(UN));
const members = async (member = '') =>
  (await world.calls.purge.members({ member }, world.as(UN))).members;
const ofDe = async () => {
  const [de] = await members(DE);
  if (!de) throw new Error('de does not leave');
  return de;
};
const idsFor = (...entries: readonly Uint8Array[]) =>
  entries.flatMap((entry) => world.holder(DE).readEntry(entry).value.ids).sort();

async function leave(): Promise<void> {
  const order = leaveOrder();
  await place(order);
  await approve(order);
}
const ordered = (count: number) =>
  until(`${String(count)} entries`, () => world.entriesFor(DE).length === count);
const left = () => until('de has left', async () => (await ofDe()).stage === 'LEFT');

describe('a member that leaves', () => {
  test('waits for a second person, is told to delete all it was given, and has left when it has', async () => {
    await world.start();
    await world.published(4);
    const order = leaveOrder();
    await place(order);
    expect(await members()).toMatchObject([
      { member: DE, stage: 'AWAITING_APPROVAL', orderId: LEAVE },
    ]);
    expect(world.register.asked).toEqual([]);
    expect(await approve(order)).toMatchObject({ state: 'LEAVE_ORDERED', approvals: 1 });
    await ordered(1);
    expect(idsFor(...world.entriesFor(DE))).toEqual([A, B, D]);
    expect(world.entriesFor(FR)).toEqual([]);
    expect(await ofDe()).toMatchObject({
      ...{ stage: 'LEAVING', sinceMs: NOW, deadlineMs: NOW + DAY_MS, reading: false },
      ...{ events: 3, notOrdered: 0, answered: 0, overdue: 0, owedEntries: 1 },
      owed: [{ reason: 'partner_withdrawn', events: 3, state: 'APPENDED', entryNumber: 1 }],
    });
    expect((await world.status(LEAVE)).state).toBe('LEAVING');
    world.answer(DE);
    await left();
    expect(await ofDe()).toMatchObject({ leftAtMs: NOW, answered: 3, owed: [], owedEntries: 0 });
    expect((await world.status(LEAVE)).state).toBe('CLOSED');
    expect(world.register.asked).toEqual(['LEAVING de', 'LEFT de']);
    expect(await members('fr')).toEqual([]);
  });

  test('is asked for what was recorded before it left and is read only later', async () => {
    world.held = [];
    world.ledger.release(DE, C);
    await world.start();
    await world.published(4);
    await leave();
    await until('it leaves', async () => (await ofDe()).stage === 'LEAVING');
    expect(await ofDe()).toMatchObject({ reading: true });
    expect(world.entriesFor(DE)).toEqual([]);
    world.nowMs = asUnixMs(NOW + 2 * DAY_MS);
    world.toLedger(...world.held);
    await ordered(1);
    expect(idsFor(...world.entriesFor(DE))).toEqual([A, B, C, D]);
    // and has its time in full
    expect((await ofDe()).owed).toMatchObject([{ deadlineMs: NOW + 3 * DAY_MS, overdue: false }]);
  });

  test('has the same orders after each restart, and none twice', async () => {
    await world.start();
    await world.published(4);
    const order = leaveOrder();
    await place(order);
    await world.stop();
    await world.start();
    await approve(order);
    await world.stop();
    await world.start();
    await ordered(1);
    const [entry] = world.entriesFor(DE);
    await world.stop();
    await world.start();
    expect(await ofDe()).toMatchObject({ stage: 'LEAVING', owedEntries: 1 });
    world.answer(DE);
    await left();
    expect(world.entriesFor(DE)).toEqual([entry]);
    const { orders } = await world.list();
    expect(orders.map(({ reason, state }) => [reason, state])).toEqual([
      ['partner_withdrawn', 'CLOSED'],
      ['partner_withdrawn', 'CLOSED'],
    ]);
  });

  test('that is silent stands there for ever, with what it owes', async () => {
    await world.start();
    await world.published(4);
    await leave();
    await ordered(1);
    world.nowMs = asUnixMs(NOW + 2 * DAY_MS);
    const owed = [{ state: 'DEFAULTED', overdue: true, events: 3, noticedAtMs: world.nowMs }];
    await until('its silence is signed', async () => (await ofDe()).owed[0]?.state === 'DEFAULTED');
    await world.stop();
    world.nowMs = asUnixMs(NOW + 1_000 * DAY_MS);
    await world.start();
    expect(await ofDe()).toMatchObject({ stage: 'LEAVING', answered: 0, overdue: 3, owed });
    expect(world.register.asked).toEqual(['LEAVING de']);
    // an answer, however late, is one
    world.answer(DE);
    await left();
  });

  test('still owes what it says the law keeps', async () => {
    await world.start();
    await world.published(4);
    await leave();
    await ordered(1);
    const [entry = new Uint8Array()] = world.entriesFor(DE);
    const asked = world.holder(DE).readEntry(entry);
    const outcomes = asked.value.ids.map((id) => ({
      id,
      outcome: id === A ? ('HELD' as const) : ('DELETED' as const),
    }));
    const holds = [
      { id: A, ground: 'file 12', authority: 'court', reviewAtMs: asUnixMs(NOW + DAY_MS) },
    ];
    const open = world.holder(DE).next(asked, { outcomes, change: { holds } });
    world.receipt(DE, open.bytes);
    await until('it is open', async () => (await ofDe()).held === 1);
    expect(await ofDe()).toMatchObject({
      ...{ stage: 'LEAVING', answered: 0, held: 1, owedEntries: 1 },
      owed: [{ state: 'OPEN', held: 1, reviewAtMs: NOW + DAY_MS }],
    });
    const final = world.holder(DE).next(asked, { change: { opened: open.hash } });
    world.receipt(DE, final.bytes);
    await left();
  });

  test('answers other orders about its events too before it has left', async () => {
    await world.start();
    await world.published(4);
    await world.order({ orderId: orderId(2), ids: [A] });
    await ordered(1);
    await leave();
    await ordered(2);
    expect(idsFor(...world.entriesFor(DE))).toEqual([A, B, D]);
    const [, second = new Uint8Array()] = world.entriesFor(DE);
    const [first = new Uint8Array()] = world.entriesFor(DE);
    const answer = world.holder(DE).answer(first);
    const answers = [answer, world.holder(DE).answer(second)];
    world.receipt(DE, ...answers);
    await left();
    expect(await ofDe()).toMatchObject({ events: 3, answered: 3 });
  });

  test('is ordered anew what the node refuses because another order took it', async () => {
    let isFirst = true;
    await world.start({
      node: {
        destroyKeys: async (...call) => {
          const isNarrow = storedStatement(codec, 'PurgeOrder', call[0]).recipients.length > 0;
          if (!isNarrow || !isFirst) return world.seal(...call);
          isFirst = false;
          await world.order({ orderId: orderId(2), ids: [A] });
          throw new ConcordatError('ORDER_INVALID', 'covers an event that is purged already');
        },
      },
    });
    await world.published(4);
    await leave();
    await ordered(2);
    expect(idsFor(...world.entriesFor(DE))).toEqual([A, B, D]);
    world.answer(DE);
    await left();
  });

  test('had nothing, and has left at once', async () => {
    await world.start();
    await world.published(4);
    const order = leaveOrder({ recipients: [NL] });
    await place(order);
    await approve(order);
    await until('it has left', async () => (await members())[0]?.stage === 'LEFT');
    expect(await members()).toMatchObject([{ member: NL, events: 0, owed: [] }]);
  });

  test('does not leave twice', async () => {
    await world.start();
    await leave();
    await until('it leaves', async () => (await ofDe()).stage !== 'LEAVE_ORDERED');
    expect(await codeOf(place(leaveOrder({ orderId: orderId(2) })))).toBe('ORDER_INVALID');
    // the very same order again changes nothing
    expect(await codeOf(place(leaveOrder()))).toBe('OK');
  });

  test('of two orders for it, the one that is approved later is refused', async () => {
    await world.start();
    const later = leaveOrder({ orderId: orderId(2) });
    await place(later);
    await leave();
    await until('it leaves', async () => (await world.status(LEAVE)).state === 'LEAVING');
    await approve(later);
    expect(await world.status(orderId(2))).toMatchObject({ state: 'REFUSED' });
  });
});

describe('nobody leaves', () => {
  test.each<[name: string, change: Partial<PurgeOrder>]>([
    ['who is no member', { recipients: ['xx' as typeof DE] }],
    ['for a reason about an event', { reason: 'error' }],
    ['when two are named', { recipients: [DE, FR] }],
    ['by an order for a section', { sections: ['remarks'] }],
    ['by an order that is late already', { deadlineMs: NOW }],
  ])('%s', async (_name, change) => {
    await world.start();
    expect(await codeOf(place(leaveOrder(change)))).toBe('ORDER_INVALID');
    expect(await members()).toEqual([]);
  });
});
