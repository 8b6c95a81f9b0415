import { expect, test } from '@jest/globals';
import type { MonotonicMs, UnixMs } from '@concordat/common/domain/ids.js';
import { FRESH_STOP_MS, FRESH_WARN_MS, type Freshness, freshness } from './freshness.js';

const at = (steadyMs: number, wallMs = steadyMs) => ({
  monotonicMs: (1_000 + steadyMs) as MonotonicMs,
  unixMs: (1_700_000_000_000 + wallMs) as UnixMs,
});
const answer = { sentAt: at(0), head: 5 };

test.each<[name: string, expected: Freshness, given: Parameters<typeof freshness>]>([
  ['without an answer since the start', 'NOT_FRESH', [undefined, 5, at(0)]],
  ['right after an answer', 'FRESH', [answer, 5, at(0)]],
  ['with more applied than the answer knew', 'FRESH', [answer, 6, at(0)]],
  ['with one entry not applied', 'BEHIND', [answer, 4, at(0)]],
  ['just before the warning', 'FRESH', [answer, 5, at(FRESH_WARN_MS - 1)]],
  ['at the warning', 'WARN', [answer, 5, at(FRESH_WARN_MS)]],
  ['behind, at the warning', 'BEHIND', [answer, 4, at(FRESH_WARN_MS)]],
  ['just before the stop', 'WARN', [answer, 5, at(FRESH_STOP_MS - 1)]],
  ['at the stop', 'NOT_FRESH', [answer, 5, at(FRESH_STOP_MS)]],
  [
    'after a suspension that only the wall clock saw',
    'NOT_FRESH',
    [answer, 5, at(1, FRESH_STOP_MS)],
  ],
  ['when only the steady clock says so', 'NOT_FRESH', [answer, 5, at(FRESH_STOP_MS, 0)]],
  ['with a wall clock that was set back', 'FRESH', [answer, 5, at(1, -FRESH_STOP_MS)]],
  ['with a steady clock that went back', 'NOT_FRESH', [answer, 5, at(-1)]],
])('%s it is %s', (_name, expected, given) => {
  expect(freshness(...given)).toBe(expected);
});
