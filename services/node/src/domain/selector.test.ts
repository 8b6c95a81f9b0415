import { describe, expect, test } from '@jest/globals';
import { memberOf } from '../../../../test/support/federation.js';
import { eventId } from '../../../../test/support/origin.js';
import {
  ALWAYS,
  type Selector,
  isAlways,
  isWithin,
  saysNothing,
  takesCategory,
} from './selector.js';

const nothing: Selector = {
  ...{ ids: [], subjects: [], categories: [], agreements: [], holders: [] },
  ...{ published: ALWAYS, collected: ALWAYS },
};

test.each([
  [9, false],
  [10, true],
  [19, true],
  [20, false],
])('the time %d is within 10 to 20: %s', (ms, expected) => {
  expect(isWithin({ fromMs: 10, beforeMs: 20 }, ms)).toBe(expected);
});

test('always is from the first moment on, without an end', () => {
  expect(isWithin(ALWAYS, 0)).toBe(true);
  expect(isWithin(ALWAYS, Number.MAX_SAFE_INTEGER)).toBe(true);
  expect(isAlways(ALWAYS)).toBe(true);
  expect(isAlways({ ...ALWAYS, fromMs: 1 })).toBe(false);
  expect(isAlways({ ...ALWAYS, beforeMs: 1 })).toBe(false);
});

describe('a selector', () => {
  test('without any field says nothing', () => {
    expect(saysNothing(nothing)).toBe(true);
  });

  test.each<[Partial<Selector>]>([
    [{ ids: [eventId(1)] }],
    [{ subjects: ['someone'] }],
    [{ categories: ['listing'] }],
    [{ agreements: ['a'] }],
    [{ holders: [memberOf('de')] }],
    [{ published: { fromMs: 1, beforeMs: Infinity } }],
    [{ collected: { fromMs: 0, beforeMs: 1 } }],
  ])('with %j says something', (change) => {
    expect(saysNothing({ ...nothing, ...change })).toBe(false);
  });

  test('takes every category unless it names some, and then those that one of them matches', () => {
    const named = { ...nothing, categories: ['person-alert', 'listing.al-qaida.*'] };
    expect(takesCategory(nothing, 'listing')).toBe(true);
    expect(takesCategory(named, 'person-alert')).toBe(true);
    expect(takesCategory(named, 'listing.al-qaida.entity')).toBe(true);
    expect(takesCategory(named, 'listing.taliban.entity')).toBe(false);
  });
});
