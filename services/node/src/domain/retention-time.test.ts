import { describe, expect, test } from '@jest/globals';
import { type MonotonicMs, asUnixMs } from '@concordat/common/domain/ids.js';
import type { Moment } from './moment.js';
import { DRIFT_MS_MAX, NO_BELIEF, STEADY_MS, look, retentionTime } from './retention-time.js';

const YEAR_MS = 365 * 86_400_000;
/** The offset of a clock that is right. */
const RIGHT = 1_700_000_000_000;

const at = (monotonicMs: number, offsetMs = RIGHT): Moment => ({
  monotonicMs: monotonicMs as MonotonicMs,
  unixMs: asUnixMs(monotonicMs + offsetMs),
});

/** What is believed after these looks, as an offset. */
function believed(...looks: readonly Moment[]): number | undefined {
  return looks.reduce(look, NO_BELIEF).offsetMs;
}

const settled = [at(0), at(STEADY_MS)];

describe('the own wall clock', () => {
  test.each<[name: string, looks: readonly Moment[], expected: number | undefined]>([
    ['is not believed at the start', [at(0)], undefined],
    ['nor a moment before it was steady for long', [at(0), at(STEADY_MS - 1)], undefined],
    ['is believed when it was', settled, RIGHT],
    [
      'is followed in small steps',
      [...settled, at(STEADY_MS, RIGHT + DRIFT_MS_MAX)],
      RIGHT + DRIFT_MS_MAX,
    ],
    [
      'is not followed when it jumps ahead',
      [...settled, at(STEADY_MS, RIGHT + DRIFT_MS_MAX + 1)],
      RIGHT,
    ],
    [
      'is not followed when it is set back',
      [...settled, at(STEADY_MS + 1, RIGHT - YEAR_MS)],
      RIGHT,
    ],
    [
      'is followed once a jump has lasted',
      [...settled, at(STEADY_MS, RIGHT + YEAR_MS), at(2 * STEADY_MS, RIGHT + YEAR_MS)],
      RIGHT + YEAR_MS,
    ],
    [
      'is not followed when it jumped again meanwhile',
      [...settled, at(STEADY_MS, RIGHT + YEAR_MS), at(2 * STEADY_MS, RIGHT + 2 * YEAR_MS)],
      RIGHT,
    ],
    [
      'is not followed when it came back meanwhile',
      [
        ...settled,
        at(STEADY_MS, RIGHT + YEAR_MS),
        at(STEADY_MS + 1),
        at(2 * STEADY_MS, RIGHT + YEAR_MS),
      ],
      RIGHT,
    ],
  ])('%s', (_name, looks, expected) => {
    expect(believed(...looks)).toBe(expected);
  });
});

describe('the time of retention', () => {
  const sure = { offsetMs: RIGHT, doubted: undefined };
  const said = (offsetMs: number, heardAt: number) => ({
    saidMs: asUnixMs(heardAt + offsetMs),
    heardAt: heardAt as MonotonicMs,
  });
  const LATER = 2 * STEADY_MS;

  test.each<
    [
      string,
      Parameters<typeof retentionTime>[0],
      Parameters<typeof retentionTime>[1],
      number | undefined,
    ]
  >([
    ['is unknown while nobody is believed', NO_BELIEF, undefined, undefined],
    ['is our own while the origin never spoke', sure, undefined, RIGHT + LATER],
    ["is the origin's at once", NO_BELIEF, said(RIGHT, LATER), RIGHT + LATER],
    ["goes on from the origin's last word", NO_BELIEF, said(RIGHT, 0), RIGHT + LATER],
    [
      "is the origin's although ours is ahead",
      { ...sure, offsetMs: RIGHT + YEAR_MS },
      said(RIGHT, STEADY_MS),
      RIGHT + LATER,
    ],
    [
      'is ours when the origin is silent for long',
      sure,
      said(RIGHT - YEAR_MS, STEADY_MS - 1),
      RIGHT + LATER,
    ],
    ["is never before the origin's last word", sure, said(RIGHT + 5, 0), RIGHT + 5 + LATER],
  ])('%s', (_name, belief, origin, expected) => {
    expect(retentionTime(belief, origin, LATER as MonotonicMs)).toBe(expected);
  });
});
