import { describe, expect, test } from '@jest/globals';
import { asUnixMs } from '@concordat/common/domain/ids.js';
import {
  type EntryEvent,
  type EntryLife,
  entryLife,
  firstLook,
  lookAt,
  stepEntry,
} from './silence.js';

// prettier-ignore
const TABLE: Record<EntryLife, Record<EntryEvent, EntryLife> & { has: [receipt: boolean, notice: boolean] }> = {
  //              a receipt                 after the deadline       what is stored
  waiting:      { receipt: 'answered',     due: 'defaulted',    has: [false, false] },
  defaulted:    { receipt: 'answeredLate', due: 'defaulted',    has: [false, true] },
  answered:     { receipt: 'answered',     due: 'answered',     has: [true, false] },
  answeredLate: { receipt: 'answeredLate', due: 'answeredLate', has: [true, true] },
};
const lives = Object.keys(TABLE) as EntryLife[];

test.each(
  lives.flatMap((from) =>
    (['receipt', 'due'] as const).map((event) => [from, event, TABLE[from][event]] as const),
  ),
)('%s on %s becomes %s', (from, event, to) => {
  expect(stepEntry(from, event)).toBe(to);
});

test.each(lives)('%s is read from what is stored', (life) => {
  const [receipt, notice] = TABLE[life].has;
  expect(entryLife({ receipt, notice })).toBe(life);
});

const DAY_MS = 86_400_000;
const at = (ms: number) => asUnixMs(1_700_000_000_000 + ms);

describe('an entry with ten days to answer', () => {
  const term = { appendedAtMs: at(0), deadlineMs: at(10 * DAY_MS) };

  test('is looked at after half of them', () => {
    expect(firstLook(term)).toBe(at(5 * DAY_MS));
  });

  test.each<[name: string, look: number, now: number, expected: object]>([
    [
      'is reminded at half of them',
      5,
      5,
      { isReminded: true, isPastDeadline: false, nextLookMs: at(9 * DAY_MS) },
    ],
    [
      'and at nine tenths',
      9,
      9.5,
      { isReminded: true, isPastDeadline: false, nextLookMs: at(10 * DAY_MS + 1) },
    ],
    [
      'and a day after the deadline',
      11,
      11,
      { isReminded: true, isPastDeadline: true, nextLookMs: at(12 * DAY_MS) },
    ],
    [
      'and once, when several reminders were missed',
      5,
      14.5,
      { isReminded: true, isPastDeadline: true, nextLookMs: at(15 * DAY_MS) },
    ],
  ])('%s', (_name, look, now, expected) => {
    expect(lookAt(term, at(look * DAY_MS), at(now * DAY_MS))).toEqual(expected);
  });

  test('is past its deadline a moment after it, which is no reminder', () => {
    const look = at(10 * DAY_MS + 1);
    expect(lookAt(term, look, look)).toEqual({
      ...{ isReminded: false, isPastDeadline: true, nextLookMs: at(11 * DAY_MS) },
    });
    expect(lookAt(term, at(9 * DAY_MS), term.deadlineMs)).toMatchObject({ isPastDeadline: false });
  });
});

test.each<[name: string, deadlineMs: number]>([
  ['at once', 0],
  ['in the past', -5],
])('an entry that was due %s is looked at, and the look comes to an end', (_name, deadlineMs) => {
  const term = { appendedAtMs: at(0), deadlineMs: at(deadlineMs) };
  const first = firstLook(term);
  expect(first).toBeLessThanOrEqual(at(1));
  expect(lookAt(term, first, at(1))).toMatchObject({
    ...{ isReminded: false, isPastDeadline: true, nextLookMs: at(DAY_MS + deadlineMs) },
  });
});
