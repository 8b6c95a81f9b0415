import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { Cover } from '@concordat/common/domain/purge-order.js';
import { asUnixMs } from '@concordat/common/domain/ids.js';
import { DAY_MS, officerApproval, officerOrder, orderId } from '../../../test/support/ledger.js';
import { NOW, eventId } from '../../../test/support/origin.js';
import { DE, RevocationWorld, UN, codeOf } from '../../../test/support/revocation.js';
import '../../../test/support/long-timeout.js';
import { until } from '../../../test/support/until.js';
import type { RevocationPorts } from './service.js';

const [A, B, C] = [eventId(1), eventId(2), eventId(3)];
const ORDER = orderId(1);

type DestroyKeys = RevocationPorts['node']['destroyKeys'];

let world: RevocationWorld;
beforeEach(() => {
  world = new RevocationWorld();
  world.ledger.publish({ id: A }, { id: B }, { id: C });
  world.ledger.release(DE, A, B, C);
});
afterEach(() => world.dispose());

const orderOf = (...ids: readonly (typeof A)[]) =>
  officerOrder(world.federation, { orderId: ORDER, ids });
const place = (order: Uint8Array) => world.calls.purge.order({ order }, world.as(UN));
const approve = (order: Uint8Array, ...how: unknown[]) => {
  const [who, change] = how as [
    Parameters<typeof officerApproval>[2],
    Parameters<typeof officerApproval>[3],
  ];
  const approval = officerApproval(world.federation, order, who, change);
  return world.calls.purge.approve({ approval }, world.as(UN));
};
const covered = async (...eventIds: readonly string[]) =>
  (await world.calls.purge.covered({ eventIds }, world.as(UN))).eventIds;

/** What the node is asked to seal, with how many approvals. */
function asked(): { readonly seal: DestroyKeys; readonly calls: number[] } {
  const calls: number[] = [];
  const seal: DestroyKeys = (order, signal, approvals) => {
    calls.push(approvals.length);
    return world.seal(order, signal, approvals);
  };
  return { seal, calls };
}

async function started(approvalsAbove: number, node = asked()) {
  await world.start({ approvalsAbove, node: { destroyKeys: node.seal } });
  await world.published(3);
  return node;
}

describe('an order for more events than one person may take back', () => {
  test('waits, and goes on to its certificate when a second person approved it', async () => {
    const node = await started(1);
    const order = orderOf(A, B);
    await place(order);
    expect(await world.status(ORDER)).toMatchObject({
      ...{ state: 'AWAITING_APPROVAL', approvals: 0, approvalsNeeded: 1, eventCount: 2 },
    });
    expect(await approve(order)).toMatchObject({ state: 'ORDERED', approvals: 1 });
    await until('its entry is sent', () => world.entriesFor(DE).length === 1);
    world.answer(DE);
    await world.reaches(ORDER, 'CLOSED');
    expect(node.calls).toEqual([1]);
    const { purge } = world.read(await world.certificate(ORDER));
    expect(purge).toMatchObject({ people: 2, missing: [] });
  });

  test('is never shown to the node before', async () => {
    const node = await started(1);
    await place(orderOf(A, B));
    await world.stop();
    await started(1, node);
    await place(orderOf(A, B));
    expect((await world.status(ORDER)).state).toBe('AWAITING_APPROVAL');
    expect(node.calls).toEqual([]);
  });

  test.each<[string, object, object, string]>([
    ['the same person', { officer: 1 }, {}, 'APPROVAL_SAME_PERSON'],
    ['the same person’s other key', { officer: 3 }, {}, 'APPROVAL_SAME_PERSON'],
    ['a key of nobody', { officer: 4 }, {}, 'APPROVAL_INVALID'],
    ['another role', { officer: 1, role: 'node' }, {}, 'ORDER_NOT_AUTHORISED'],
    ['another order', {}, { orderHash: new Uint8Array(32) }, 'APPROVAL_INVALID'],
    ['an order that nobody gave', {}, { orderId: orderId(9) }, 'ORDER_UNKNOWN'],
  ])('is not approved by %s', async (_name, who, change, code) => {
    await started(1);
    const order = orderOf(A, B);
    await place(order);
    expect(await codeOf(approve(order, who, change))).toBe(code);
    expect(await world.status(ORDER)).toMatchObject({ state: 'AWAITING_APPROVAL', approvals: 0 });
  });

  test('is approved once: the same person again changes nothing', async () => {
    const node = await started(1);
    const order = orderOf(A, B);
    await place(order);
    await approve(order);
    await until('the node was asked', () => node.calls.length === 1);
    expect(await approve(order, { officer: 2 })).toMatchObject({ approvals: 1 });
    expect(node.calls).toEqual([1]);
  });

  test('is not approved after its deadline', async () => {
    await started(1);
    const order = orderOf(A, B);
    await place(order);
    world.nowMs = asUnixMs(NOW + DAY_MS + 1);
    expect(await codeOf(approve(order))).toBe('APPROVAL_INVALID');
    expect(await world.status(ORDER)).toMatchObject({ overdue: true });
  });

  test('holds nothing back: another order may take its events, and then it is refused for good', async () => {
    await started(1);
    const order = orderOf(A, B);
    await place(order);
    expect(await covered(A, B, C)).toEqual([]);
    await world.order({ orderId: orderId(2), ids: [B] });
    expect(await covered(A, B, C)).toEqual([B]);
    const answer = await approve(order);
    expect(answer).toMatchObject({ state: 'REFUSED' });
    expect(answer.lastError).toMatch(/^ORDER_INVALID: another order took 1 of its 2 events/);
    expect(await covered(A, B, C)).toEqual([B]);
  });

  test('outlives a restart with its approval', async () => {
    const away = {
      seal: () => Promise.reject(new ConcordatError('PEER_UNAVAILABLE', 'the node is away')),
      calls: [],
    };
    await started(1, away);
    const order = orderOf(A, B);
    await place(order);
    await approve(order);
    await world.stop();
    const node = await started(1);
    await until('the node was asked', () => node.calls.length > 0);
    expect(node.calls).toEqual([1]);
  });
});

test('an order for fewer needs nobody, and takes no approval', async () => {
  const node = await started(2);
  const order = orderOf(A, B);
  await place(order);
  await until('the node was asked', () => node.calls.length === 1);
  expect(await world.status(ORDER)).toMatchObject({ approvals: 0, approvalsNeeded: 0 });
  expect(await codeOf(approve(order))).toBe('APPROVAL_INVALID');
});

test('several orders of one person count together, unless they took nothing back', async () => {
  const node = await started(2);
  await world.order({ orderId: orderId(2), ids: [A] });
  await world.reaches(orderId(2), 'APPENDED');
  await world.stop();
  await started(2, node);
  const order = orderOf(B, C);
  await place(order);
  expect(await world.status(ORDER)).toMatchObject({
    ...{ state: 'AWAITING_APPROVAL', approvals: 0, approvalsNeeded: 1 },
  });
  expect(await approve(order)).toMatchObject({ approvals: 1, approvalsNeeded: 1 });
  await world.reaches(ORDER, 'APPENDED');
});

test('an order that the node refuses is not counted for who signed it', async () => {
  const refusing = {
    calls: [],
    seal: () => Promise.reject(new ConcordatError('ORDER_INVALID', 'not this one')),
  };
  await started(2, refusing);
  await world.order({ orderId: orderId(2), ids: [A] });
  await world.reaches(orderId(2), 'REFUSED');
  await world.stop();
  await started(2);
  await place(orderOf(B, C));
  await world.reaches(ORDER, 'APPENDED');
});

test('an order that the node finds too few people for waits, and lets go of its events', async () => {
  const calls: number[] = [];
  await started(2_000, {
    calls,
    seal: async (order, signal, approvals) => {
      calls.push(approvals.length);
      if (approvals.length > 0) return world.seal(order, signal, approvals);
      throw new ConcordatError('ORDER_NEEDS_APPROVAL', 'expected 2 people');
    },
  });
  const order = orderOf(A, B);
  await place(order);
  await world.reaches(ORDER, 'AWAITING_APPROVAL');
  expect(await world.status(ORDER)).toMatchObject({
    ...{ approvals: 0, approvalsNeeded: 1 },
    lastError: 'ORDER_NEEDS_APPROVAL: expected 2 people',
  });
  expect(await covered(A, B)).toEqual([]);
  await approve(order);
  await until('its entry is sent', () => world.entriesFor(DE).length === 1);
  expect(calls).toEqual([0, 1]);
});

describe('what an operator asks', () => {
  test('of many orders at once: those that are known, without their events', async () => {
    await started(2);
    await world.order({ orderId: ORDER, ids: [A] });
    const ask = (...orderIds: readonly string[]) =>
      world.calls.purge.statusOfMany({ orderIds }, world.as(UN));
    expect((await ask(orderId(7), ORDER)).orders).toMatchObject([
      { orderId: ORDER, eventIds: [], eventCount: 1 },
    ]);
    expect(await codeOf(ask('x'))).toBe('REQUEST_INVALID');
    expect(await codeOf(ask(...Array.from({ length: 4_097 }, () => ORDER)))).toBe(
      'REQUEST_INVALID',
    );
    expect(await codeOf(covered('x'))).toBe('REQUEST_INVALID');
  });

  test('of the receipts of an order: each as its holder signed it', async () => {
    await started(2);
    await world.order({ orderId: ORDER, ids: [A, B] });
    await until('its entry is sent', () => world.entriesFor(DE).length === 1);
    const receipts = async () =>
      (await world.calls.purge.receipts({ orderId: ORDER }, world.as(UN))).receipts;
    expect(await receipts()).toEqual([]);
    world.answer(DE);
    await world.reaches(ORDER, 'CLOSED');
    const [receipt, ...more] = await receipts();
    expect(more).toEqual([]);
    expect(receipt).toMatchObject({ member: DE, entryNumber: 1, stage: 'DELETED', events: 2 });
    expect(receipt?.dsseJson).toContain('application/vnd.concordat.receipt.v1+avro');
  });
});

test('an order for less than everybody is taken and passed on; who is no recipient, or no section, is not', async () => {
  const asked: Uint8Array[] = [];
  await world.start({
    node: {
      destroyKeys: async (order) => {
        asked.push(order);
        throw new ConcordatError('ORDER_INVALID', 'not this cover');
      },
    },
  });
  await world.published(3);
  const narrow = (n: number, cover: Partial<Cover>) =>
    codeOf(world.order({ orderId: orderId(n), ids: [A], ...cover }));
  expect(await narrow(2, { recipients: [UN] })).toBe('ORDER_INVALID');
  expect(await narrow(2, { recipients: [DE, DE] })).toBe('ORDER_INVALID');
  expect(await narrow(2, { sections: ['Identity'] })).toBe('ORDER_INVALID');
  expect(await narrow(2, { sections: ['remarks', 'remarks'] })).toBe('ORDER_INVALID');
  expect(await narrow(3, { recipients: [DE], sections: ['remarks'] })).toBe('OK');
  await world.reaches(orderId(3), 'REFUSED');
  expect(asked).toHaveLength(1);
  expect(await covered(A)).toEqual([]);
});
