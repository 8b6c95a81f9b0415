import { expect, test } from '@jest/globals';
import type { EventId } from '@concordat/common/domain/ids.js';
import { burialOf, holdsAnyOf } from './entry.js';

const [ONE, TWO] = ['one', 'two'] as EventId[] as [EventId, EventId];
const events = [
  { id: ONE, cause: undefined, isHeld: true },
  { id: TWO, cause: undefined, isHeld: false },
];

test('an entry buries its events, held or not, and says which were here', () => {
  expect(burialOf({ sections: [], events, given: undefined })).toEqual({
    takes: 'events',
    ids: [ONE, TWO],
    outcomes: [
      { id: ONE, outcome: 'DELETED' },
      { id: TWO, outcome: 'NOT_HELD' },
    ],
  });
});

test('an entry for sections buries no event', () => {
  expect(burialOf({ sections: ['comment'], events, given: undefined }).takes).toBe('sections');
});

test('what was answered before is not judged anew', () => {
  const given = [{ id: ONE, outcome: 'NOT_HELD' }] as const;
  expect(burialOf({ sections: [], events, given }).outcomes).toBe(given);
});

test.each([
  ['a section that is here', ['a'], ['a', 'b'], [], true],
  ['a section that is not here', ['c'], ['a', 'b'], [], false],
  ['a section that is taken back already', ['a'], ['a', 'b'], ['a'], false],
  ['one of several', ['a', 'b'], ['b'], ['a'], true],
])('an entry for %s', (_name, taken, held, gone, isHeld) => {
  expect(holdsAnyOf(taken, held, new Set(gone))).toBe(isHeld);
});
