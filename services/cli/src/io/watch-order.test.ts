import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { systemClock } from '@concordat/common/io/system-ports.js';
import type { OrderAnswer } from '../domain/purge-progress.js';
import { watchOrder } from './watch-order.js';

const open: OrderAnswer = {
  orderId: 'o',
  state: 'APPENDED',
  reason: 'error',
  eventIds: [],
  holders: [
    {
      ...{ member: 'de', state: 'APPENDED', answeredAtMs: 0, remindedAtMs: 0, noticedAtMs: 0 },
      ...{ held: 0, reviewAtMs: 0, systemsOpen: 0, childrenOpen: 0 },
      ...{ mediaErasedAtMs: 0, mediaLevel: '', mediaOverdue: false },
    },
  ],
  orderedAtMs: 0,
  closedAtMs: 0,
  deadlineMs: 1,
  overdue: false,
  lastError: '',
  ...{ eventCount: 1, approvals: 0, approvalsNeeded: 0 },
};
const closed: OrderAnswer = { ...open, state: 'CLOSED' };
const away = new ConcordatError('PEER_UNAVAILABLE', 'away');

/** Each error ends a stream; what comes after it is on the next. */
async function watching(answers: readonly (OrderAnswer | Error)[], patienceMs?: number) {
  const left = [...answers];
  const told: string[] = [];
  const stop = new AbortController();
  async function* follow(signal: AbortSignal): AsyncGenerator<OrderAnswer> {
    for (let next = left.shift(); next; next = left.shift()) {
      if (next instanceof Error) throw next;
      yield next;
    }
    if (patienceMs === undefined) stop.abort();
    if (!signal.aborted) await once(signal, 'abort');
    throw new ConcordatError('CALL_CANCELLED', 'given up');
  }
  const { end } = await watchOrder({
    clock: systemClock,
    follow,
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
  expect((await watching([open], 50)).end).toBe('late');
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
