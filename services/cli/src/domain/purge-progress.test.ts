import { expect, test } from '@jest/globals';
import {
  type OrderAnswer,
  changes,
  isDone,
  mediaText,
  openText,
  orderExit,
  orderView,
  silenceText,
  standings,
} from './purge-progress.js';

const nothing = {
  ...{ held: 0, reviewAtMs: 0, systemsOpen: 0, childrenOpen: 0 },
  ...{ mediaErasedAtMs: 0, mediaLevel: '', mediaOverdue: false },
};

const order: OrderAnswer = {
  orderId: 'o',
  state: 'APPENDED',
  reason: 'delisted',
  eventIds: ['e'],
  holders: [
    {
      member: 'de',
      state: 'DELETED',
      answeredAtMs: 3_000,
      remindedAtMs: 2_000,
      noticedAtMs: 0,
      ...nothing,
    },
    {
      member: 'fr',
      state: 'APPENDED',
      answeredAtMs: 0,
      remindedAtMs: 2_000,
      noticedAtMs: 0,
      ...nothing,
    },
  ],
  orderedAtMs: 1_000,
  closedAtMs: 0,
  deadlineMs: 9_000,
  overdue: false,
  lastError: '',
  ...{ eventCount: 1, approvals: 0, approvalsNeeded: 0 },
};

const reminded = {
  ...{ remindedAt: '1970-01-01T00:00:02.000Z', noticedAt: '' },
  ...{ held: 0, reviewAt: '', systemsOpen: 0, childrenOpen: 0 },
  ...{ mediaErasedAt: '', mediaLevel: '', mediaOverdue: false },
};

test('an order that waits for a holder is partly done, a closed one is done', () => {
  expect(orderExit(order)).toBe(7);
  expect(orderExit({ state: 'CLOSED' })).toBe(0);
  expect(orderExit({ state: 'REFUSED' })).toBe(3);
});

test('who has not answered has no time of answer', () => {
  expect(orderView(order).holders).toEqual([
    {
      ...{ member: 'de', state: 'DELETED', answeredAt: '1970-01-01T00:00:03.000Z', afterMs: 2_000 },
      ...reminded,
    },
    { member: 'fr', state: 'APPENDED', answeredAt: '', afterMs: null, ...reminded },
  ]);
});

test.each([
  ['', '', ''],
  ['r', '', 'reminded r'],
  ['r', 'n', 'reminded r, default notice n'],
])('a silence of reminders %p and notice %p reads %p', (remindedAt, noticedAt, text) => {
  expect(silenceText({ remindedAt, noticedAt })).toBe(text);
});

test.each([
  ['', '', false, ''],
  ['t', 'BEST_EFFORT', false, 'media erased t, BEST_EFFORT'],
  ['', '', true, 'media not erased within the hour'],
])(
  'media erased at %p, %p, overdue %p reads %p',
  (mediaErasedAt, mediaLevel, mediaOverdue, text) => {
    expect(mediaText({ mediaErasedAt, mediaLevel, mediaOverdue })).toBe(text);
  },
);

test('only what changed is told again', () => {
  const closed = { ...order, state: 'CLOSED', overdue: true };
  expect(changes(standings(order), standings(closed))).toEqual([['order', 'CLOSED, overdue']]);
  expect(changes(new Map(), standings(order))).toEqual([
    ['order', 'APPENDED'],
    ['de', 'DELETED'],
    ['fr', 'APPENDED'],
  ]);
});

test('a holder whose answer is open is not done, and says what is open', () => {
  const states = ['APPENDED', 'DEFAULTED', 'OPEN', 'DELETED', 'NOT_HELD'];
  expect(states.filter((state) => isDone({ state }))).toEqual(['DELETED', 'NOT_HELD']);
  const open = { held: 2, reviewAt: 'r', systemsOpen: 1, childrenOpen: 3 };
  const text = '2 held by law, review r, 1 with its own systems, 3 in derived events';
  expect(openText(open)).toBe(text);
  expect(openText({ held: 0, reviewAt: '', systemsOpen: 0, childrenOpen: 0 })).toBe('');
  const [de] = order.holders;
  const holders = de ? [{ ...de, state: 'OPEN', systemsOpen: 1 }] : [];
  const standing = standings({ ...order, holders });
  expect(standing.get('de')).toBe('OPEN, 1 with its own systems');
});
