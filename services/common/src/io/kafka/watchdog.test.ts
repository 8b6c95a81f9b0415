import { describe, expect, test } from '@jest/globals';
import {
  HANDLE_MS_MAX,
  type LaneLook,
  RENEWALS_WINDOW_MS,
  STALL_MS_MAX,
  type Verdict,
  WATCH_START,
  type WatchState,
  watch,
} from './watchdog.js';

const behind: LaneLook = {
  topic: 'events.un',
  wanted: 5n,
  ends: { lane: 0, low: 0n, high: 9n },
  paused: false,
  handlingMs: 0,
};
const atEnd: LaneLook = { ...behind, wanted: 9n };

/** Looks at these moments; says the verdict of the last one. */
function after(looks: readonly (readonly [nowMs: number, look: LaneLook])[]): Verdict['kind'] {
  let state: WatchState = WATCH_START;
  let kind: Verdict['kind'] = 'fine';
  for (const [nowMs, look] of looks) {
    const answer = watch(state, [look], nowMs);
    state = answer.state;
    kind = answer.verdict.kind;
  }
  return kind;
}

describe('the watchdog of a reader', () => {
  const late = STALL_MS_MAX;
  test.each<[name: string, looks: readonly (readonly [number, LaneLook])[], kind: Verdict['kind']]>(
    [
      [
        'waits for a lane that is behind',
        [
          [0, behind],
          [late - 1, behind],
        ],
        'fine',
      ],
      [
        'renews a consumer whose lane stands still',
        [
          [0, behind],
          [late, behind],
        ],
        'renew',
      ],
      [
        'lets a lane at its end stand still',
        [
          [0, atEnd],
          [late, atEnd],
        ],
        'fine',
      ],
      [
        'counts from when there was more to read',
        [
          [0, atEnd],
          [late, { ...atEnd, ends: { lane: 0, low: 0n, high: 10n } }],
        ],
        'fine',
      ],
      [
        'lets a lane be that we hold back',
        [
          [0, { ...behind, paused: true }],
          [late, { ...behind, paused: true }],
        ],
        'fine',
      ],
      [
        'begins anew when a lane moves',
        [
          [0, behind],
          [late - 1, { ...behind, wanted: 6n }],
          [late, { ...behind, wanted: 6n }],
        ],
        'fine',
      ],
      ['doubts one look after the end', [[0, { ...behind, wanted: 10n }]], 'fine'],
      [
        'sees a log cut short at the second look',
        [
          [0, { ...behind, wanted: 10n }],
          [1, { ...behind, wanted: 10n }],
        ],
        'restarted',
      ],
      [
        'sees records gone before they were read',
        [
          [0, { ...behind, ends: { lane: 0, low: 6n, high: 9n } }],
          [1, { ...behind, ends: { lane: 0, low: 6n, high: 9n } }],
        ],
        'restarted',
      ],
      [
        'lets a reader that began with nothing begin late',
        [
          [0, { ...behind, wanted: 0n, ends: { lane: 0, low: 6n, high: 9n } }],
          [1, { ...behind, wanted: 0n, ends: { lane: 0, low: 6n, high: 9n } }],
        ],
        'fine',
      ],
      [
        'sees a handler that does not return',
        [[0, { ...atEnd, handlingMs: HANDLE_MS_MAX }]],
        'handler-stuck',
      ],
    ],
  )('%s', (_name, looks, kind) => {
    expect(after(looks)).toBe(kind);
  });

  const stalls = (timesMs: readonly number[]) =>
    after(timesMs.flatMap((atMs) => [[atMs, behind] as const, [atMs + late, behind] as const]));

  test('gives up at the third consumer within ten minutes', () => {
    expect(stalls([0, 40_000])).toBe('renew');
    expect(stalls([0, 40_000, 80_000])).toBe('stalled');
  });

  test('forgets what was longer ago', () => {
    expect(stalls([0, 40_000, RENEWALS_WINDOW_MS])).toBe('renew');
  });
});
