import { expect, test } from '@jest/globals';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { MonotonicMs, UnixMs } from '@concordat/common/domain/ids.js';
import type { OrderAnswer } from '../domain/purge-progress.js';
import { watchOrder } from './watch-order.js';

const open: OrderAnswer = {
  orderId: 'o',
  state: 'APPENDED',
  reason: 'error',
  eventIds: [],
  holders: [{ member: 'de', state: 'APPENDED', answeredAtMs: 0, remindedAtMs: 0, noticedAtMs: 0 }],
  orderedAtMs: 0,
  closedAtMs: 0,
  deadlineMs: 1,
  overdue: false,
  lastError: '',
};
const closed: OrderAnswer = { ...open, state: 'CLOSED' };
const away = new ConcordatError('PEER_UNAVAILABLE', 'away');

/** Time passes only by sleeping. */
async function watching(answers: readonly (OrderAnswer | Error)[], patienceMs?: number) {
  let atMs = 0;
  let next = 0;
  const told: string[] = [];
  const stop = new AbortController();
  const { end } = await watchOrder({
    clock: {
      nowMs: () => atMs as UnixMs,
      monotonicMs: () => atMs as MonotonicMs,
      sleep: async (ms) => {
        atMs += ms;
      },
    },
    ask: async () => {
      const answer = answers[Math.min(next, answers.length - 1)] ?? away;
      next += 1;
      if (next > 50) stop.abort();
      if (answer instanceof Error) throw answer;
      return answer;
    },
    onChange: (name, state) => told.push(`${name} ${state}`),
    patienceMs,
    stop: stop.signal,
  });
  return { end, told };
}

test('a watch tells every change once and ends when the order is closed', async () => {
  expect(await watching([open, open, closed])).toEqual({
    end: 'closed',
    told: ['order APPENDED', 'de APPENDED', 'order CLOSED'],
  });
});

test('a service that is away for a while does not end a watch', async () => {
  const { end, told } = await watching([away, away, closed]);
  expect(end).toBe('closed');
  expect(told[0]).toBe('revocation does not answer');
});

test('a watch ends by itself when it is overdue, when patience is over, and when it is stopped', async () => {
  expect((await watching([{ ...open, overdue: true }])).end).toBe('overdue');
  expect((await watching([open], 1_000)).end).toBe('late');
  expect((await watching([open])).end).toBe('stopped');
});

test('a watch ends when the own node will never carry the order out, and says why', async () => {
  const lastError = 'ORDER_INVALID: purged already';
  expect(await watching([open, { ...open, state: 'REFUSED', lastError }])).toEqual({
    end: 'refused',
    told: ['order APPENDED', 'de APPENDED', `order REFUSED, last error ${lastError}`],
  });
});

test('an unknown order ends a watch at once', async () => {
  const unknown = new ConcordatError('ORDER_UNKNOWN', 'none');
  await expect(watching([unknown])).rejects.toMatchObject({ code: 'ORDER_UNKNOWN' });
});
