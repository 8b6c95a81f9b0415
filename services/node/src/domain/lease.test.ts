import { type MonotonicMs, asUnixMs } from '@concordat/common/domain/ids.js';
import { expect, test } from '@jest/globals';
import { LEASE_MS, isLeaseOver } from './lease.js';

const at = (monotonicMs: number, unixMs: number) => ({
  monotonicMs: monotonicMs as MonotonicMs,
  unixMs: asUnixMs(unixMs),
});
const sentAt = at(50_000, 1_700_000_000_000);
const after = (steadyMs: number, wallMs: number) =>
  isLeaseOver(sentAt, at(sentAt.monotonicMs + steadyMs, sentAt.unixMs + wallMs));

test.each<[name: string, steadyMs: number, wallMs: number, isOver: boolean]>([
  ['runs from the moment of asking', 0, 0, false],
  ['runs until the last millisecond', LEASE_MS - 1, LEASE_MS - 1, false],
  ['is over at its term', LEASE_MS, LEASE_MS, true],
  ['is over when the monotonic clock alone says so', LEASE_MS, LEASE_MS - 900, true],
  ['is over when the wall clock alone says so', LEASE_MS - 900, LEASE_MS, true],
  ['bears a clock that is nudged', 60_000, 60_900, false],
  ['is over after a sleep, which the monotonic clock does not count', 1_000, 3_601_000, true],
  ['is over after a short sleep', 1_000, 3_000, true],
  ['is over when the wall clock was set forward', 1_000, 61_000, true],
  ['is over when the wall clock was set back', 60_000, 1_000, true],
  ['is over when the wall clock was set back before the asking', 1_000, -60_000, true],
  ['is over when the monotonic clock began anew', -1, 1_000, true],
])('a lease %s', (_name, steadyMs, wallMs, isOver) => {
  expect(after(steadyMs, wallMs)).toBe(isOver);
});
