import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { verifyNotice } from '@concordat/common/domain/default-notice.js';
import { type MemberId, type UnixMs, asUnixMs } from '@concordat/common/domain/ids.js';
import { purgeTopic, receiptsTopic } from '@concordat/common/domain/topics.js';
import { memoryLogClient } from '@concordat/common/io/memory-log.js';
import { systemClock } from '@concordat/common/io/system-ports.js';
import { codec } from '../../../test/support/federation.js';
import { orderId } from '../../../test/support/ledger.js';
import { NOW, eventId } from '../../../test/support/origin.js';
import { DE, FR, RevocationWorld, UN, codeOf } from '../../../test/support/revocation.js';
import '../../../test/support/long-timeout.js';
import { until } from '../../../test/support/until.js';

const DAY_MS = 86_400_000;
const [A, B] = [eventId(1), eventId(2)];
const ORDER = orderId(1);
const DEADLINE = asUnixMs(NOW + 10 * DAY_MS);

let world: RevocationWorld;
beforeEach(() => {
  world = new RevocationWorld();
});
afterEach(() => world.dispose());

/** An order with ten days to answer, about what de and fr hold. */
async function waiting(change: Parameters<RevocationWorld['start']>[0] = {}): Promise<void> {
  world.ledger.publish({ id: A }, { id: B });
  world.ledger.release(DE, A, B);
  world.ledger.release(FR, A);
  await world.start(change);
  await world.published(2);
  await world.order({ orderId: ORDER, ids: [A, B], deadlineMs: DEADLINE });
  await world.reaches(ORDER, 'APPENDED');
  await until('entries are sent', () => sent(DE).length === 1 && sent(FR).length === 1);
}

/** What went to a holder's topic, repetitions included. */
function sent(recipient: MemberId): Uint8Array[] {
  const { records } = world.log.lane(purgeTopic({ origin: UN, recipient }), 0);
  return records.map(({ value }) => value);
}

async function holder(member: MemberId) {
  const { holders } = await world.status(ORDER);
  const found = holders.find((one) => one.member === member);
  if (!found) throw new Error(`${member} holds nothing`);
  return found;
}

const notices = async () =>
  (await world.calls.purge.notices({ orderId: ORDER }, world.as(UN))).notices;

async function at(nowMs: number, name: string, count: number): Promise<void> {
  world.nowMs = asUnixMs(nowMs);
  await world.counted(name, count);
}

describe('a holder that is silent past the deadline', () => {
  test('gets a default notice, the same for ever, that anybody can check', async () => {
    await waiting();
    world.answer(FR);
    await until('fr has answered', async () => (await holder(FR)).state === 'DELETED');
    await at(DEADLINE + 1, 'notices.made', 1);
    expect(await holder(DE)).toMatchObject({ state: 'DEFAULTED', noticedAtMs: DEADLINE + 1 });
    expect(await holder(FR)).toMatchObject({ state: 'DELETED', noticedAtMs: 0 });
    const [first, ...others] = await notices();
    expect(others).toEqual([]);
    const notice = verifyNotice(codec, world.federation.keys, first?.dsseJson ?? '');
    expect(notice).toMatchObject({
      ok: true,
      value: {
        ...{ origin: UN, recipient: DE, orderId: ORDER, entryEpoch: 1, entryNumber: 1 },
        ...{ timeMs: DEADLINE + 1, deadlineMs: DEADLINE, entryTimeMs: NOW },
      },
    });

    world.nowMs = asUnixMs(DEADLINE + 3 * DAY_MS);
    await world.stop();
    await world.start();
    await world.counted('reminders.sent', 2);
    expect(await notices()).toEqual([first]);
    expect((await world.list()).counters).toMatchObject({ 'notices.made': 1 });
  });

  test('is named in a certificate that is asked for before it has answered', async () => {
    await waiting();
    world.answer(FR);
    await at(DEADLINE + 1, 'notices.made', 1);
    expect(await codeOf(world.certificate(ORDER))).toBe('CERTIFICATE_NOT_READY');
    const read = async () => world.read(await world.certificate(ORDER, { evenIncomplete: true }));
    await until('the own ledger is read', async () => {
      return (await codeOf(world.certificate(ORDER, { evenIncomplete: true }))) === 'OK';
    });
    const { purge, certificate } = await read();
    expect(purge.missing).toEqual([{ recipient: DE, entry: 1, why: 'silent' }]);
    expect(certificate.holders.map(({ notices: signed }) => signed.length)).toEqual([1, 0]);

    world.answer(DE);
    await world.reaches(ORDER, 'CLOSED');
    const closed = await read();
    expect(closed.purge.missing).toEqual([]);
    expect(closed.certificate.holders.map(({ notices: signed }) => signed)).toEqual([[], []]);
  });

  test('clears the flag when it answers after all, and the notice stays on record', async () => {
    await waiting();
    world.answer(FR);
    await at(DEADLINE + 1, 'notices.made', 1);
    expect(await world.status(ORDER)).toMatchObject({ state: 'APPENDED', overdue: true });
    const before = await notices();
    world.answer(DE);
    await world.reaches(ORDER, 'CLOSED');
    expect(await world.status(ORDER)).toMatchObject({ overdue: false });
    expect(await holder(DE)).toMatchObject({ state: 'DELETED', noticedAtMs: DEADLINE + 1 });
    expect(await notices()).toEqual(before);
    expect(world.verify(await world.certificate(ORDER))).toEqual({ de: [A, B], fr: [A] });
  });

  test('is not judged while answers stand on its topic that were not read', async () => {
    const clock = { ...systemClock, nowMs: (): UnixMs => world.nowMs };
    const real = memoryLogClient(world.log, clock);
    let unread = 1n;
    await waiting({
      log: {
        ...real,
        ends: async (topic) => {
          const ends = await real.ends(topic);
          const isDe = topic === receiptsTopic({ origin: UN, recipient: DE });
          return isDe ? ends.map((end) => ({ ...end, high: end.high + unread })) : ends;
        },
      },
    });
    // fr is judged in the same look, after de
    await at(DEADLINE + 1, 'notices.made', 1);
    expect(await holder(DE)).toMatchObject({ state: 'APPENDED', noticedAtMs: 0 });
    expect(await holder(FR)).toMatchObject({ state: 'DEFAULTED' });
    unread = 0n;
    await world.counted('notices.made', 2);
    expect(await holder(DE)).toMatchObject({ state: 'DEFAULTED' });
  });

  test('cannot keep its notice away with a gap in its own chain', async () => {
    await waiting();
    world.holder(DE).skip();
    world.answer(DE);
    await until('the gap is named', async () => (await world.list()).gaps.length === 1);
    await at(DEADLINE + 1, 'notices.made', 2);
    expect(await holder(DE)).toMatchObject({ state: 'DEFAULTED' });
  });
});

test('a silent holder is reminded at half of its time, at nine tenths, and each day after it', async () => {
  await waiting();
  world.answer(FR);
  await until('fr has answered', async () => (await holder(FR)).state === 'DELETED');
  await at(NOW + 5 * DAY_MS, 'reminders.sent', 1);
  expect(await holder(DE)).toMatchObject({ state: 'APPENDED', remindedAtMs: NOW + 5 * DAY_MS });
  await at(NOW + 9 * DAY_MS, 'reminders.sent', 2);
  await at(DEADLINE + 1, 'notices.made', 1);
  await at(DEADLINE + DAY_MS, 'reminders.sent', 3);
  await at(DEADLINE + 2 * DAY_MS, 'reminders.sent', 4);
  await until('all are sent', () => sent(DE).length === 5);
  expect(world.entriesFor(DE)).toHaveLength(1);
  expect(sent(FR)).toHaveLength(1);
  expect(await holder(FR)).toMatchObject({ remindedAtMs: 0, noticedAtMs: 0 });

  world.answer(DE);
  await world.reaches(ORDER, 'CLOSED');
  world.nowMs = asUnixMs(DEADLINE + 9 * DAY_MS);
  await world.order({ orderId: orderId(2), ids: [eventId(3)] }).catch(() => undefined);
  expect(sent(DE)).toHaveLength(5);
});

test('what ends within a week is announced', async () => {
  const retainUntilMs = asUnixMs(NOW + 8 * DAY_MS);
  world.ledger.publish({ id: A, retainUntilMs }, { id: B });
  await world.start();
  await world.published(2);
  expect((await world.list()).endingSoon).toBe(0);
  world.nowMs = asUnixMs(NOW + DAY_MS);
  expect((await world.list()).endingSoon).toBe(1);
});
