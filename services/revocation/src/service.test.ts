import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { type OrderId, asUnixMs } from '@concordat/common/domain/ids.js';
import { verifyStatement } from '@concordat/common/domain/statement.js';
import { codec } from '../../../test/support/federation.js';
import { officerOrder, orderId, signAs } from '../../../test/support/ledger.js';
import { NOW, eventId } from '../../../test/support/origin.js';
import { DE, FR, NL, RevocationWorld, UN, codeOf } from '../../../test/support/revocation.js';
import '../../../test/support/long-timeout.js';
import { until } from '../../../test/support/until.js';
import { ruleOrderId } from './domain/rule-orders.js';

const DAY_MS = 86_400_000;
const [A, B, C, D] = [eventId(1), eventId(2), eventId(3), eventId(4)];
const ORDER: OrderId = orderId(1);

let world: RevocationWorld;
beforeEach(() => {
  world = new RevocationWorld();
});
afterEach(() => world.dispose());

/** A, B and C in one block; de has all three, fr has A and C. */
async function shared(): Promise<void> {
  world.ledger.publish({ id: A }, { id: B }, { id: C });
  world.ledger.release(DE, A, B, C);
  world.ledger.release(FR, A, C);
  await world.start();
  await world.published(3);
}

async function appended(id: string, entries: number): Promise<void> {
  await world.reaches(id, 'APPENDED');
  const sent = () => [DE, FR, NL].flatMap((member) => world.entriesFor(member)).length;
  await until('entries are sent', () => sent() === entries);
}

describe('an order by event', () => {
  test('goes to whoever holds it, and closes with a certificate once all answered', async () => {
    await shared();
    expect(await world.order({ orderId: ORDER, ids: [A, B] })).toEqual({ orderId: ORDER });
    await appended(ORDER, 2);
    expect(await world.status(ORDER)).toMatchObject({
      state: 'APPENDED',
      reason: 'delisted',
      eventIds: [A, B],
      overdue: false,
      lastError: '',
      holders: [
        { member: 'de', state: 'APPENDED' },
        { member: 'fr', state: 'APPENDED' },
      ],
    });
    expect(await codeOf(world.certificate(ORDER))).toBe('CERTIFICATE_NOT_READY');

    world.answer(DE);
    await until('de has answered', async () => {
      const { holders } = await world.status(ORDER);
      return holders[0]?.state === 'DELETED';
    });
    expect(await world.status(ORDER)).toMatchObject({ state: 'APPENDED', closedAtMs: 0 });

    world.answer(FR);
    await world.reaches(ORDER, 'CLOSED');
    expect(await world.status(ORDER)).toMatchObject({ closedAtMs: NOW, overdue: false });
    expect(world.verify(await world.certificate(ORDER))).toEqual({ de: [A, B], fr: [A] });
    expect(world.entriesFor(NL)).toEqual([]);
  });

  test('is watched from its first state to its last, each change told once', async () => {
    await shared();
    await world.order({ orderId: ORDER, ids: [A] });
    const told: string[] = [];
    const watching = (async () => {
      for await (const { state, holders } of world.watchStatus(ORDER)) {
        told.push([state, ...holders.map((one) => `${one.member} ${one.state}`)].join(', '));
      }
    })();
    await until('both are asked', () => told.at(-1) === 'APPENDED, de APPENDED, fr APPENDED');
    world.answer(DE);
    await until('de is seen', () => told.at(-1) === 'APPENDED, de DELETED, fr APPENDED');
    world.answer(FR);
    await watching;
    expect(told.at(-1)).toBe('CLOSED, de DELETED, fr DELETED');
    expect(new Set(told).size).toBe(told.length);
  });

  test('that is not known is not watched either', async () => {
    await world.start();
    const first = async () => {
      for await (const status of world.watchStatus(ORDER)) return status;
      return undefined;
    };
    expect(await codeOf(first())).toBe('ORDER_UNKNOWN');
  });

  test('that nobody held closes at once, with a certificate that says so', async () => {
    world.ledger.publish({ id: A });
    await world.start();
    await world.published(1);
    await world.order({ orderId: ORDER, ids: [A] });
    await world.reaches(ORDER, 'CLOSED');
    expect(world.verify(await world.certificate(ORDER))).toEqual({});
  });

  test('over several blocks has one certificate over all of them', async () => {
    await shared();
    world.ledger.publish({ id: D });
    world.ledger.release(NL, D);
    await world.published(4);
    await world.order({ orderId: ORDER, ids: [D, B] });
    await appended(ORDER, 2);
    world.answer(DE);
    world.answer(NL);
    await world.reaches(ORDER, 'CLOSED');
    expect(world.verify(await world.certificate(ORDER))).toEqual({ de: [B], nl: [D] });
  });

  test('closes beside another order on the same block without telling of it', async () => {
    await shared();
    const second = orderId(2);
    await Promise.all([
      world.order({ orderId: ORDER, ids: [A] }),
      world.order({ orderId: second, ids: [B] }),
    ]);
    await appended(ORDER, 3);
    await world.reaches(second, 'APPENDED');
    world.answer(FR);
    world.answer(DE);
    await world.reaches(ORDER, 'CLOSED');
    await world.reaches(second, 'CLOSED');
    expect(world.verify(await world.certificate(ORDER))).toEqual({ de: [A], fr: [A] });
    expect(world.verify(await world.certificate(second))).toEqual({ de: [B] });
  });

  test('answered "not held" by everybody is closed too (D25)', async () => {
    await shared();
    await world.order({ orderId: ORDER, ids: [A] });
    await appended(ORDER, 2);
    world.answer(DE, 'NOT_HELD');
    world.answer(FR, 'DELETED');
    await world.reaches(ORDER, 'CLOSED');
    const { holders } = await world.status(ORDER);
    expect(holders.map(({ state }) => state)).toEqual(['NOT_HELD', 'DELETED']);
    expect(world.verify(await world.certificate(ORDER))).toEqual({ de: [A], fr: [A] });
  });

  test('waits for the own ledger when the answers are faster than it', async () => {
    await shared();
    world.held = [];
    await world.order({ orderId: ORDER, ids: [A] });
    await appended(ORDER, 2);
    world.answer(DE);
    world.answer(FR);
    await until('all have answered', async () => {
      const { holders } = await world.status(ORDER);
      return holders.every(({ state }) => state === 'DELETED');
    });
    expect((await world.status(ORDER)).state).toBe('APPENDED');
    world.toLedger(...world.held);
    await world.reaches(ORDER, 'CLOSED');
  });

  test('is overdue once its deadline has passed in silence, and is not when it is closed', async () => {
    await shared();
    await world.order({ orderId: ORDER, ids: [B] });
    await appended(ORDER, 1);
    world.nowMs = asUnixMs(NOW + DAY_MS + 1);
    expect(await world.status(ORDER)).toMatchObject({ overdue: true });
    const list = await world.list();
    expect(list.orders).toMatchObject([{ orderId: ORDER, overdue: true }]);
    expect(list.counters).toMatchObject({ 'orders.overdue': 1, 'orders.appended': 1 });
    world.answer(DE);
    await world.reaches(ORDER, 'CLOSED');
    expect(await world.status(ORDER)).toMatchObject({ overdue: false });
    expect((await world.list()).counters).toMatchObject({ 'orders.overdue': 0 });
  });

  test('again with the same bytes is the same order; other bytes under its id are refused', async () => {
    await shared();
    await world.order({ orderId: ORDER, ids: [B] });
    expect(await world.order({ orderId: ORDER, ids: [B] })).toEqual({ orderId: ORDER });
    expect(await codeOf(world.order({ orderId: ORDER, ids: [A] }))).toBe('ORDER_INVALID');
    await appended(ORDER, 1);
    expect(await world.order({ orderId: ORDER, ids: [B] })).toEqual({ orderId: ORDER });
    expect((await world.list()).orders).toHaveLength(1);
  });
});

describe('an order that nobody may give (D26)', () => {
  const order = { orderId: ORDER, ids: [A] };
  const flipped = (bytes: Uint8Array, at: number): Uint8Array =>
    bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));

  test.each<[name: string, expected: string, forge: () => Uint8Array]>([
    [
      'signed by the own node',
      'ORDER_NOT_AUTHORISED',
      () => officerOrder(world.federation, order, { member: UN, role: 'node' }),
    ],
    [
      'signed by the rule key',
      'ORDER_NOT_AUTHORISED',
      () => officerOrder(world.federation, order, { member: UN, role: 'revocation' }),
    ],
    [
      "signed by another member's officer",
      'ORDER_NOT_AUTHORISED',
      () => officerOrder(world.federation, order, { member: DE, role: 'purge-officer' }),
    ],
    [
      "signed by another member's officer for its own events",
      'ORDER_NOT_AUTHORISED',
      () =>
        officerOrder(
          world.federation,
          { ...order, origin: DE },
          { member: DE, role: 'purge-officer' },
        ),
    ],
    [
      'with a changed signature',
      'ORDER_NOT_AUTHORISED',
      () => {
        const bytes = officerOrder(world.federation, order);
        return flipped(bytes, bytes.length - 1);
      },
    ],
    [
      'with a changed deadline',
      'ORDER_NOT_AUTHORISED',
      () => {
        const bytes = officerOrder(world.federation, order);
        const signed = codec.decode('Signed', bytes);
        if (!signed.ok) throw signed.error;
        const { value } = signed;
        const payload = codec.decode('PurgeOrder', value.payload);
        if (!payload.ok) throw payload.error;
        const later = { ...payload.value, deadlineMs: asUnixMs(NOW + 2 * DAY_MS) };
        return codec.encode('Signed', { ...value, payload: codec.encode('PurgeOrder', later) });
      },
    ],
    ['that is no order', 'RECORD_MALFORMED', () => Uint8Array.of(1, 2, 3)],
    [
      'for a reason that only rules have',
      'ORDER_INVALID',
      () => officerOrder(world.federation, { ...order, reason: 'retention' }),
    ],
    [
      'about an event that was never published',
      'ORDER_INVALID',
      () => officerOrder(world.federation, { ...order, ids: [A, D] }),
    ],
    ['about nothing', 'ORDER_INVALID', () => officerOrder(world.federation, { ...order, ids: [] })],
    [
      'about one event twice',
      'ORDER_INVALID',
      () => officerOrder(world.federation, { ...order, ids: [A, A] }),
    ],
    [
      'due before it is issued',
      'ORDER_INVALID',
      () => officerOrder(world.federation, { ...order, deadlineMs: NOW }),
    ],
  ])('%s is %s and changes nothing', async (_name, expected, forge) => {
    await shared();
    const call = world.calls.purge.order({ order: forge() }, world.as(UN));
    expect(await codeOf(call)).toBe(expected);
    const list = await world.list();
    expect(list.orders).toEqual([]);
    expect(list.counters).toMatchObject({ [`orders.refused.${expected}`]: 1, outbox: 0 });
    expect([DE, FR, NL].flatMap((member) => world.entriesFor(member))).toEqual([]);
    expect(await world.order(order)).toEqual({ orderId: ORDER });
  });

  test('names how many events are unknown', async () => {
    await shared();
    await expect(world.order({ orderId: ORDER, ids: [A, D] })).rejects.toThrow('came 1 of 2');
  });

  test('is refused about an event that another order takes back already', async () => {
    await shared();
    await world.order({ orderId: ORDER, ids: [A] });
    expect(await codeOf(world.order({ orderId: orderId(2), ids: [B, A] }))).toBe('ORDER_INVALID');
  });
});

describe('a rule', () => {
  const place = { federation: 'test', origin: UN };

  test('takes a superseded event back at once, exactly once, and names its successor', async () => {
    await shared();
    const id = ruleOrderId(place, { id: A, reason: 'superseded' });
    world.ledger.publish({ id: D, supersedes: A });
    await until('the order is there', async () => (await world.list()).orders.length === 1);
    await appended(id, 2);
    world.answer(DE);
    world.answer(FR);
    await world.reaches(id, 'CLOSED');
    expect(await world.status(id)).toMatchObject({
      reason: 'superseded',
      eventIds: [A],
      deadlineMs: NOW + DAY_MS,
    });
    expect(world.verify(await world.certificate(id))).toEqual({ de: [A], fr: [A] });

    world.ledger.publish({ id: eventId(9), supersedes: A });
    await world.published(5);
    expect((await world.list()).orders).toHaveLength(1);
  });

  test('takes a superseded event back although its successor was published first', async () => {
    world.ledger.publish({ id: D, supersedes: A });
    await world.start();
    await world.published(1);
    expect((await world.list()).orders).toEqual([]);
    world.ledger.publish({ id: A });
    await world.reaches(ruleOrderId(place, { id: A, reason: 'superseded' }), 'CLOSED');
  });

  test('takes an event back when its retention is over, not a moment before', async () => {
    const retainUntilMs = asUnixMs(NOW + 1_000);
    world.ledger.publish({ id: A, retainUntilMs }, { id: B });
    world.ledger.release(DE, A, B);
    await world.start({ ruleOrderDeadlineMs: 5_000 });
    await world.published(2);
    world.nowMs = asUnixMs(retainUntilMs - 1);
    await world.order({ orderId: ORDER, ids: [B] });
    await appended(ORDER, 1);
    expect((await world.list()).orders).toHaveLength(1);

    world.nowMs = retainUntilMs;
    const id = ruleOrderId(place, { id: A, reason: 'retention' });
    await until('the order is there', async () => (await world.list()).orders.length === 2);
    await appended(id, 2);
    world.answer(DE);
    await world.reaches(id, 'CLOSED');
    expect(await world.status(id)).toMatchObject({
      reason: 'retention',
      orderedAtMs: retainUntilMs,
      deadlineMs: retainUntilMs + 5_000,
    });
    expect(world.verify(await world.certificate(id))).toEqual({ de: [A] });
  });

  test('makes the very same order again after its database is lost, and the node answers it', async () => {
    const asked: string[] = [];
    const node = {
      destroyKeys: (order: Uint8Array, signal: AbortSignal) => {
        asked.push(Buffer.from(order).toString('hex'));
        return world.seal(order, signal);
      },
    };
    const over = asUnixMs(NOW + DAY_MS);
    world.nowMs = over;
    world.ledger.publish({ id: A }, { id: B, retainUntilMs: over }, { id: C, supersedes: A });
    world.ledger.release(DE, A);
    await world.start({ node });
    const superseded = ruleOrderId(place, { id: A, reason: 'superseded' });
    const retention = ruleOrderId(place, { id: B, reason: 'retention' });
    await world.reaches(retention, 'CLOSED');
    await world.reaches(superseded, 'APPENDED');
    await world.stop();
    rmSync(world.dir, { recursive: true });

    world.nowMs = asUnixMs(NOW + 5 * DAY_MS);
    await world.start({ node });
    await world.reaches(retention, 'CLOSED');
    await world.reaches(superseded, 'APPENDED');
    expect(asked).toHaveLength(4);
    expect(new Set(asked).size).toBe(2);
    // what comes late is answered in the same time as everything else
    expect(await world.status(superseded)).toMatchObject({
      ...{ deadlineMs: NOW + 6 * DAY_MS, overdue: false },
    });
  });

  test('keeps the bytes of its order over a restart', async () => {
    const asked: Uint8Array[] = [];
    const destroyKeys = (order: Uint8Array): Promise<never> => {
      asked.push(order);
      return Promise.reject(new ConcordatError('PEER_UNAVAILABLE', 'the node is down'));
    };
    world.ledger.publish({ id: A }, { id: B, supersedes: A });
    await world.start({ node: { destroyKeys } });
    await until('the node was asked', () => asked.length > 0);
    await world.stop();
    world.nowMs = asUnixMs(NOW + 5_000);
    const before = asked.length;
    await world.start({ node: { destroyKeys } });
    await until('the node was asked again', () => asked.length > before);
    expect(new Set(asked.map((bytes) => Buffer.from(bytes).toString('hex'))).size).toBe(1);
  });
});

describe('a node that does not seal', () => {
  test('because it is away is asked again until it does', async () => {
    world.ledger.publish({ id: A });
    let calls = 0;
    await world.start({
      node: {
        destroyKeys: (order, signal) => {
          calls += 1;
          if (calls > 3) return world.seal(order, signal);
          return Promise.reject(new ConcordatError('PEER_UNAVAILABLE', 'the node is down'));
        },
      },
    });
    await world.published(1);
    await world.order({ orderId: ORDER, ids: [A] });
    await until('its failure shows', async () => {
      const { lastError } = await world.status(ORDER);
      return lastError === 'PEER_UNAVAILABLE: the node is down';
    });
    await world.reaches(ORDER, 'CLOSED');
    expect(await world.status(ORDER)).toMatchObject({ lastError: '' });
  });

  test('because it refuses leaves the order open, with the reason, and other orders go on', async () => {
    await shared();
    await world.stop();
    let refuses = true;
    await world.start({
      node: {
        destroyKeys: (order, signal) => {
          const read = verifyStatement(codec, world.federation.keys, 'PurgeOrder', order, {
            signer: UN,
          });
          if (refuses && read.ok && read.value.value.orderId === ORDER) {
            return Promise.reject(new ConcordatError('ORDER_NOT_AUTHORISED', 'an unknown officer'));
          }
          return world.seal(order, signal);
        },
      },
    });
    await world.order({ orderId: ORDER, ids: [A] });
    await world.order({ orderId: orderId(2), ids: [B] });
    await world.reaches(orderId(2), 'APPENDED');
    await until('the refusal shows', async () => {
      const { lastError } = await world.status(ORDER);
      return lastError === 'ORDER_NOT_AUTHORISED: an unknown officer';
    });
    expect(await world.status(ORDER)).toMatchObject({ state: 'ORDERED' });

    // the event is free again for a rule; and the same order, sent again, is asked about at once
    refuses = false;
    world.ledger.publish({ id: D, supersedes: A });
    const id = ruleOrderId({ federation: 'test', origin: UN }, { id: A, reason: 'superseded' });
    await until('the rule orders', async () => (await codeOf(world.status(id))) === 'OK');
    await world.reaches(id, 'APPENDED');
  });

  test('because it never will ends the order, with the reason, and frees its events', async () => {
    await shared();
    await world.stop();
    const refusal = new ConcordatError('ORDER_INVALID', 'covers more than one seal record may');
    let refuses = true;
    await world.start({
      node: {
        destroyKeys: (order, signal) =>
          refuses ? Promise.reject(refusal) : world.seal(order, signal),
      },
    });
    await world.order({ orderId: ORDER, ids: [A] });
    await world.reaches(ORDER, 'REFUSED');
    world.nowMs = asUnixMs(NOW + 2 * DAY_MS);
    expect(await world.status(ORDER)).toMatchObject({
      ...{ overdue: false, lastError: 'ORDER_INVALID: covers more than one seal record may' },
    });
    expect((await world.list()).counters).toMatchObject({
      'orders.refused': 1,
      'orders.overdue': 0,
    });
    refuses = false;
    const deadlineMs = asUnixMs(NOW + 3 * DAY_MS);
    await world.order({ orderId: orderId(2), ids: [A], deadlineMs });
    await world.reaches(orderId(2), 'APPENDED');
    expect((await world.status(ORDER)).state).toBe('REFUSED');
  });

  test('for another order has sealed the event ends the second order, by a rule too', async () => {
    await shared();
    const known = world.ledger.seal(
      officerOrder(world.federation, { orderId: orderId(9), ids: [A, B] }),
    );
    expect(known.sealRecord.length).toBeGreaterThan(0);
    await world.order({ orderId: ORDER, ids: [A] });
    await world.reaches(ORDER, 'REFUSED');
    world.ledger.publish({ id: D, supersedes: B });
    const id = ruleOrderId({ federation: 'test', origin: UN }, { id: B, reason: 'superseded' });
    await world.reaches(id, 'REFUSED');
    const { orders } = await world.list();
    expect(orders.map(({ lastError }) => lastError)).toEqual([
      ...Array.from({ length: 2 }, () => 'ORDER_INVALID: covers an event that is purged already'),
    ]);
  });

  test.each<[name: string, lie: () => Partial<Parameters<typeof lied>[0]>]>([
    ['other events', () => ({ ids: [B] })],
    ['one event more', () => ({ ids: [A, B] })],
    ['another order', () => ({ orderId: orderId(7) })],
    ['itself as holder', () => ({ holders: [{ recipient: UN, ids: [A] }] })],
    ['a holder of other events', () => ({ holders: [{ recipient: DE, ids: [B] }] })],
    ['a holder of nothing', () => ({ holders: [{ recipient: DE, ids: [] }] })],
    ['no seal', () => ({ seals: [] })],
  ])('but says it did, naming %s, is not believed', async (_name, lie) => {
    await shared();
    await world.stop();
    await world.start({
      node: { destroyKeys: async (order, signal) => lied(lie(), await world.seal(order, signal)) },
    });
    await world.order({ orderId: ORDER, ids: [A] });
    await until('the refusal shows', async () => {
      const { lastError } = await world.status(ORDER);
      return lastError.startsWith('SEAL_INVALID');
    });
    expect((await world.status(ORDER)).state).toBe('ORDERED');
  });

  test('but shows evidence of other events is not believed', async () => {
    await shared();
    await world.stop();
    const elsewhere = world.ledger.seal(
      officerOrder(world.federation, { orderId: orderId(8), ids: [B] }),
    );
    await world.start({
      node: {
        destroyKeys: async (order, signal) => {
          const { sealRecord } = await world.seal(order, signal);
          return { sealRecord, evidence: elsewhere.evidence };
        },
      },
    });
    await world.order({ orderId: ORDER, ids: [A] });
    await until('the refusal shows', async () => {
      const { lastError } = await world.status(ORDER);
      return lastError === 'SEAL_INVALID: expected evidence of the ordered events';
    });
  });

  test('and a seal record of another member is not believed either', async () => {
    await shared();
    await world.stop();
    await world.start({
      node: {
        destroyKeys: async (order, signal) => {
          const { evidence, sealRecord } = await world.seal(order, signal);
          const value = sealValue(sealRecord);
          const forged = signAs(
            world.federation,
            { member: DE, role: 'node' },
            'SealRecord',
            value,
          );
          return { evidence, sealRecord: forged.bytes };
        },
      },
    });
    await world.order({ orderId: ORDER, ids: [A] });
    await until('the refusal shows', async () => {
      const { lastError } = await world.status(ORDER);
      return lastError.startsWith('SENDER_NOT_TOPIC_OWNER');
    });
  });
});

type Seal = ReturnType<typeof sealValue>;

function sealValue(bytes: Uint8Array) {
  const seal = verifyStatement(codec, world.federation.keys, 'SealRecord', bytes, { signer: UN });
  if (!seal.ok) throw seal.error;
  return seal.value.value;
}

function lied(change: Partial<Seal>, answer: { sealRecord: Uint8Array; evidence: Uint8Array }) {
  const value = { ...sealValue(answer.sealRecord), ...change };
  const signed = signAs(world.federation, { member: UN, role: 'node' }, 'SealRecord', value);
  return { ...answer, sealRecord: signed.bytes };
}
