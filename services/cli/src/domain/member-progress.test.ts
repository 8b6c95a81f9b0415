import { describe, expect, test } from '@jest/globals';
import {
  type LeavingAnswer,
  isGone,
  leaveQuestion,
  leavingEnd,
  leavingExit,
  leavingView,
  owedLine,
  standingText,
} from './member-progress.js';

const DAY = 86_400_000;
const owed: LeavingAnswer['owed'][number] = {
  ...{ orderId: 'order', reason: 'partner_withdrawn', entryNumber: 3, events: 2 },
  ...{ deadlineMs: DAY, overdue: false, state: 'OPEN', noticedAtMs: 0 },
  ...{ held: 0, reviewAtMs: 0, systemsOpen: 0, childrenOpen: 0 },
};
const left: LeavingAnswer = {
  ...{ member: 'de', stage: 'LEFT', orderId: 'order', reason: 'partner_withdrawn', sinceMs: DAY },
  ...{ leftAtMs: 0, deadlineMs: 2 * DAY, lastError: '', reading: false, events: 5, notOrdered: 0 },
  ...{ answered: 5, overdue: 0, held: 0, systemsOpen: 0, childrenOpen: 0 },
  ...{ owed: [], owedEntries: 0 },
};
const owing: LeavingAnswer = { ...left, answered: 3, owed: [owed], owedEntries: 1 };
const leaving: LeavingAnswer = { ...left, stage: 'LEAVING' };

test('times are spelled for people, and what has not been is empty', () => {
  expect(leavingView(owing)).toMatchObject({
    ...{ member: 'de', since: '1970-01-02T00:00:00.000Z', leftAt: '' },
    deadline: '1970-01-03T00:00:00.000Z',
    owed: [{ orderId: 'order', deadline: '1970-01-02T00:00:00.000Z', noticedAt: '', reviewAt: '' }],
  });
});

test('who lets a member go is asked with its name and what it was given', () => {
  expect(leaveQuestion('de', 5)).toMatch(/^Let de leave\? .* all 5 events/);
});

// prettier-ignore
test.each<[name: string, answer: LeavingAnswer | undefined, gone: boolean, exit: number, end: number | undefined]>([
  ['has left and owes nothing', left, true, 0, 0],
  ['has left and owes an answer', owing, false, 7, undefined],
  ['is still leaving', leaving, false, 7, undefined],
  ['owes something that is overdue', { ...owing, overdue: 1 }, false, 7, 7],
])('a member that %s is gone: %s', (_name, answer, gone, exit, end) => {
  if (answer) expect(isGone(answer)).toBe(gone);
  expect(leavingExit(answer ? [left, answer] : [])).toBe(exit);
  expect(leavingEnd(answer)).toBe(end);
});

test('watching ends as refused when the member does not leave at all', () => {
  expect(leavingEnd(undefined)).toBe(3);
});

describe('where it stands', () => {
  // prettier-ignore
  test.each<[change: Partial<LeavingAnswer>, text: string]>([
    [{}, 'LEFT, 5 of 5 events deleted'],
    [{ stage: 'AWAITING_APPROVAL' }, 'AWAITING_APPROVAL'],
    [{ stage: 'LEAVE_ORDERED' }, 'LEAVE_ORDERED'],
    [{ reading: true }, 'LEFT, 5 of 5 events deleted, the ledger is being read'],
    [{ notOrdered: 1 }, 'LEFT, 5 of 5 events deleted, 1 not ordered yet'],
    [{ owedEntries: 1 }, 'LEFT, 5 of 5 events deleted, owes 1 answers'],
    [{ overdue: 1 }, 'LEFT, 5 of 5 events deleted, 1 events overdue'],
    [{ systemsOpen: 2 }, 'LEFT, 5 of 5 events deleted, 2 with its own systems'],
    [
      { held: 1, owed: [owed, { ...owed, reviewAtMs: 3 * DAY }, { ...owed, reviewAtMs: 2 * DAY }] },
      'LEFT, 5 of 5 events deleted, 1 held by law, review 1970-01-03T00:00:00.000Z',
    ],
  ])('%j is said as %s', (change, text) => {
    expect(standingText({ ...left, ...change })).toBe(text);
  });
});

describe('an entry that it owes', () => {
  const line = (change: Partial<typeof owed>) => {
    const [entry] = leavingView({ ...owing, owed: [{ ...owed, ...change }] }).owed;
    return entry && owedLine(entry);
  };

  // prettier-ignore
  test.each<[change: Partial<typeof owed>, text: string]>([
    [{}, 'order  OPEN       2 events     deadline 1970-01-02T00:00:00.000Z'],
    [{ overdue: true }, 'order  OPEN       2 events     deadline 1970-01-02T00:00:00.000Z, overdue'],
    [{ childrenOpen: 1 }, 'order  OPEN       2 events     deadline 1970-01-02T00:00:00.000Z  1 in derived events'],
    [{ noticedAtMs: DAY }, 'order  OPEN       2 events     deadline 1970-01-02T00:00:00.000Z  default notice 1970-01-02T00:00:00.000Z'],
  ])('with %j is said in a line', (change, text) => {
    expect(line(change)).toBe(text);
  });
});
