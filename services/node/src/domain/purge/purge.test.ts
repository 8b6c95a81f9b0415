import { describe, expect, test } from '@jest/globals';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import { outcomeNow } from './answer.js';
import { dutiesOf, mayBeMade } from './children.js';
import { goneBecause } from './gone.js';
import { holdersOf } from './holders.js';
import { keyStop } from './leaving.js';
import { mendOf } from './mend.js';
import { AFTER_BURIAL, DELETION, KEYS_CAME, startSteps } from './order-of-commits.js';
import { takeIn, wantsKeys } from './take-in.js';

const [DE, FR] = ['de', 'fr'] as MemberId[] as [MemberId, MemberId];
const [ONE, TWO] = ['one', 'two'] as EventId[] as [EventId, EventId];

test.each([
  [undefined, undefined],
  ['order', 'PURGED'],
  ['retention', 'RETENTION'],
] as const)('what %s buried is gone because of %s', (cause, because) => {
  expect(goneBecause(cause)).toBe(because);
});

describe('a feed that brings an event', () => {
  const sections = [{ name: 'a' }, { name: 'b' }];
  const unseen = { isBuried: false, isKnown: false, gone: new Set<string>() };
  test.each([
    ['unseen', unseen, { kind: 'waits', sections }],
    ['known', { ...unseen, isKnown: true }, { kind: 'known' }],
    ['buried', { ...unseen, isBuried: true }, { kind: 'purged' }],
    [
      'buried, of which a row is here',
      { ...unseen, isBuried: true, isKnown: true },
      { kind: 'purged' },
    ],
    [
      'of which a part is gone',
      { ...unseen, gone: new Set(['a']) },
      { kind: 'waits', sections: [{ name: 'b' }] },
    ],
    ['of which all is gone', { ...unseen, gone: new Set(['a', 'b']) }, { kind: 'purged' }],
  ])('%s', (_name, known, taken) => {
    expect(takeIn(known, sections)).toEqual(taken);
  });
});

test.each([
  ['waiting', false, true],
  ['leased', false, true],
  [undefined, false, false],
  ['waiting', true, false],
] as const)('keys for a row that is %s, buried %s: %s', (row, isBuried, isWanted) => {
  expect(wantsKeys({ isBuried, row })).toBe(isWanted);
});

test.each([
  ['HELD', { isHeldByLaw: true, isOwed: true, isChildOpen: true }],
  ['SYSTEMS_OPEN', { isHeldByLaw: false, isOwed: true, isChildOpen: true }],
  ['CHILDREN_OPEN', { isHeldByLaw: false, isOwed: false, isChildOpen: true }],
  ['DELETED', { isHeldByLaw: false, isOwed: false, isChildOpen: false }],
] as const)('a receipt says %s', (outcome, facts) => {
  expect(outcomeNow({ judged: 'DELETED', ...facts })).toBe(outcome);
});

test('what was derived is owed, published or not', () => {
  const descents = [{ child: ONE }, { child: TWO }];
  expect(dutiesOf(descents, (child) => child === TWO)).toEqual([
    { child: ONE, isMade: false },
    { child: TWO, isMade: true },
  ]);
});

test.each([
  [false, false, true],
  [true, false, false],
  [false, true, false],
])('parent gone %s, owed %s: may be made %s', (isParentGone, isOwed, may) => {
  expect(mayBeMade({ isParentGone, isOwed })).toBe(may);
});

test.each([
  ['nothing', { isSealed: false, left: ['a'], isLeaving: false }, undefined],
  ['a seal', { isSealed: true, left: [], isLeaving: true }, 'SEALED'],
  ['narrower covers', { isSealed: false, left: [], isLeaving: true }, 'COVERED'],
  ['leaving', { isSealed: false, left: ['a'], isLeaving: true }, 'LEAVING'],
])('%s keeps a key from leaving', (_name, facts, stop) => {
  expect(keyStop(facts)).toBe(stop);
});

describe('a seal names', () => {
  const given = [
    { recipient: FR, sections: ['a'] },
    { recipient: DE, sections: ['a', 'b'] },
    { recipient: DE, sections: ['b'] },
  ];
  const events = [
    { id: ONE, given },
    { id: TWO, given: given.slice(1, 2) },
  ];
  const both = { recipient: DE, ids: [ONE, TWO] };
  test.each([
    [
      'everybody who was given keys',
      { recipients: [], sections: [] },
      [both, { recipient: FR, ids: [ONE] }],
    ],
    [
      'of some members only them',
      { recipients: [FR], sections: [] },
      [{ recipient: FR, ids: [ONE] }],
    ],
    ['of a section who was given it', { recipients: [], sections: ['b'] }, [both]],
    ['nobody, if nobody was', { recipients: [], sections: ['c'] }, []],
  ])('%s', (_name, cover, holders) => {
    expect(holdersOf(events, cover)).toEqual(holders);
  });
});

test.each([
  ['make readable', { row: 'waiting', hasKeys: true }],
  ['nothing', { row: 'waiting', hasKeys: false }],
  ['nothing', { row: 'readable', hasKeys: true }],
  ['ask for keys', { row: 'readable', hasKeys: false }],
  ['nothing', { row: 'published', isPublished: true }],
  ['drop', { row: 'published', isPublished: false }],
  ['nothing', { row: 'none', isOwn: true, isPublished: true }],
  ['drop', { row: 'none', isOwn: true, isPublished: false }],
  ['drop', { row: 'none', isOwn: false, isPublished: true }],
] as const)('%s: %j', (mend, found) => {
  expect(mendOf(found)).toBe(mend);
});

test('nothing is answered before it is deleted, nor stored before what takes it back', () => {
  expect(AFTER_BURIAL).toEqual(['deletion', 'receipts']);
  expect(DELETION).toEqual(['leases', 'keys', 'rows', 'journals', 'finished']);
  expect(KEYS_CAME).toEqual(['tombstones', 'keys', 'notices', 'rows', 'leases', 'deletion']);
  expect(startSteps(true)).toEqual(['deletion', 'receipts', 'key answers']);
  expect(startSteps(false)).toEqual(['what came back', 'deletion', 'receipts', 'key answers']);
});
