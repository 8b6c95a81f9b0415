import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { eventId } from '../../../../test/support/origin.js';
import { orderId } from '../../../../test/support/ledger.js';
import {
  ORDER_EVENTS_MAX,
  PARTS_MAX,
  orderEventsMax,
  partId,
  partIds,
  planPurge,
} from './purge-plan.js';

const ids = (count: number, from = 0) => Array.from({ length: count }, (_, n) => eventId(from + n));

test('a plan counts events, holders and orders, and says whether one person is enough', () => {
  const found = [
    { ids: ids(3), holders: ['de', 'fr'] },
    { ids: ids(2, 3), holders: ['de'] },
    { ids: ids(1, 5), holders: [] },
  ];
  expect(planPurge(found, 6)).toEqual({
    events: 6,
    orders: [ids(6)],
    needsSecondPerson: false,
    holders: [
      { member: 'de', events: 5 },
      { member: 'fr', events: 3 },
    ],
    heldByNobody: 1,
  });
  expect(planPurge(found, 5).needsSecondPerson).toBe(true);
  // splitting it needs nobody less
  expect(planPurge([{ ids: ids(5_000), holders: [] }], 3_000).needsSecondPerson).toBe(true);
  expect(planPurge([], 5)).toMatchObject({ events: 0, orders: [], needsSecondPerson: false });
});

test('orders are as few as possible, of one size, and cover each event once, in order', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9_000 }), (count) => {
      const { orders } = planPurge([{ ids: ids(count), holders: [] }], 0);
      const sizes = orders.map(({ length }) => length);
      expect(orders).toHaveLength(Math.ceil(count / ORDER_EVENTS_MAX));
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThan(orders.length);
      expect(orders.flat()).toEqual(ids(count));
    }),
    { numRuns: 20 },
  );
});

test('an order of many holders covers fewer events, so that its certificate can be read', () => {
  expect([0, 3, 10, 40, 1_000_000].map(orderEventsMax)).toEqual([2_000, 2_000, 1_682, 451, 1]);
  const holders = Array.from({ length: 40 }, (_, n) => `m${String(n)}`);
  const { orders } = planPurge([{ ids: ids(1_000), holders }], 0);
  expect(orders.map(({ length }) => length)).toEqual([334, 334, 332]);
});

test('the orders of a purge follow from its first one, and no two are alike', () => {
  const first = orderId(1);
  expect(partId(first, 0)).toBe(first);
  expect(partId(first, 7)).toBe(partId(first, 7));
  const all = [...partIds(first), ...partIds(orderId(2))];
  expect(new Set(all).size).toBe(2 * PARTS_MAX);
});
