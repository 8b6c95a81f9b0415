import { expect, test } from '@jest/globals';
import type { OrderAnswer } from './purge-progress.js';
import { together } from './purge-parts.js';

const holder = (member: string, state: string, answeredAtMs = 0) => ({
  ...{ member, state, answeredAtMs, remindedAtMs: 0, noticedAtMs: 0 },
  ...{ held: 0, reviewAtMs: 0, systemsOpen: 0, childrenOpen: 0 },
  ...{ mediaErasedAtMs: 0, mediaLevel: '', mediaOverdue: false },
});
const part = (orderId: string, change: Partial<OrderAnswer> = {}): OrderAnswer => ({
  ...{ orderId, state: 'APPENDED', reason: 'delisted', eventIds: ['e'], eventCount: 2 },
  ...{ holders: [holder('de', 'APPENDED')], orderedAtMs: 1_000, closedAtMs: 0, deadlineMs: 9_000 },
  ...{ overdue: false, lastError: '', approvals: 0, approvalsNeeded: 0 },
  ...change,
});

test('no order is no purge, and one order stays as it is', () => {
  expect(together([])).toBeUndefined();
  expect(together([part('a')])).toEqual(part('a'));
});

test('a purge stands where its last order stands, and tells of each holder once', () => {
  const all = together([
    part('a', {
      ...{ state: 'CLOSED', closedAtMs: 5_000, deadlineMs: 9_500 },
      holders: [holder('de', 'DELETED', 3_000), holder('fr', 'NOT_HELD', 4_000)],
    }),
    part('b', { overdue: true, lastError: 'X: y', approvals: 1, approvalsNeeded: 1 }),
    part('c', { orderedAtMs: 900, holders: [holder('de', 'DELETED', 3_500)] }),
  ]);
  expect(all).toMatchObject({
    ...{ orderId: 'a', state: 'APPENDED', eventCount: 6, eventIds: [], overdue: true },
    ...{ orderedAtMs: 900, closedAtMs: 0, deadlineMs: 9_500, lastError: 'X: y' },
    ...{ approvals: 0, approvalsNeeded: 1 },
    holders: [
      { member: 'de', state: 'APPENDED, 2 of 3 orders answered', answeredAtMs: 0 },
      { member: 'fr', state: 'NOT_HELD', answeredAtMs: 4_000 },
    ],
  });
});

test.each([
  [['CLOSED', 'CLOSED'], 'CLOSED'],
  [['CLOSED', 'REFUSED'], 'REFUSED'],
  [['REFUSED', 'APPENDED'], 'APPENDED'],
  [['SEALED', 'ORDERED'], 'ORDERED'],
  [['ORDERED', 'AWAITING_APPROVAL'], 'AWAITING_APPROVAL'],
  [['CLOSED', 'ONE_OF_TOMORROW'], 'ONE_OF_TOMORROW'],
])('of orders that are %j the purge is %s', (states, state) => {
  const parts = states.map((one, at) => part(String(at), { state: one, closedAtMs: 7 }));
  expect(together(parts)).toMatchObject({ state, closedAtMs: state === 'CLOSED' ? 7 : 0 });
});

test('what is open of a holder is counted over all orders, the next review first', () => {
  const open = { ...holder('de', 'OPEN', 2_000), held: 1, reviewAtMs: 8_000 };
  const more = { ...open, held: 2, reviewAtMs: 7_000, systemsOpen: 1 };
  const all = together(
    [open, more, holder('de', 'DELETED', 1_000)].map((one) => part('a', { holders: [one] })),
  );
  expect(all?.holders).toMatchObject([
    { state: 'OPEN', held: 3, reviewAtMs: 7_000, systemsOpen: 1 },
  ]);
});

test('media of a holder are erased when it said so of every order in which it held something', () => {
  const erased = (at: number, mediaLevel = 'HSM') => ({
    ...holder('de', 'DELETED', 1_000),
    ...{ mediaErasedAtMs: at, mediaLevel },
  });
  const media = (...holders: OrderAnswer['holders']) =>
    together(holders.map((one) => part('a', { holders: [one] })))?.holders[0];
  expect(media(erased(5), erased(7, 'BEST_EFFORT'), holder('de', 'NOT_HELD', 1))).toMatchObject({
    ...{ mediaErasedAtMs: 7, mediaLevel: 'BEST_EFFORT', mediaOverdue: false },
  });
  expect(media(erased(5), holder('de', 'DELETED', 1))).toMatchObject({ mediaErasedAtMs: 0 });
  expect(media(erased(5), holder('de', 'APPENDED'))).toMatchObject({ mediaErasedAtMs: 0 });
  const late = { ...holder('de', 'DELETED', 1), mediaOverdue: true };
  expect(media(erased(5), late)).toMatchObject({ mediaErasedAtMs: 0, mediaOverdue: true });
});
