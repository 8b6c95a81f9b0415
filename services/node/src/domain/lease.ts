import type { Moment } from './moment.js';

/** How long keys may be read with after they were asked for. */
export const LEASE_MS = 5 * 60_000;
/** Two clocks that came this far apart within a lease: one of them was set, or stood still while the machine slept. */
const APART_MS_MAX = 1_000;

/**
 * Is a lease over whose keys were asked for at `sentAt`? When either clock says so, or when they disagree: then nobody
 * knows how long ago that was.
 */
export function isLeaseOver(sentAt: Moment, now: Moment): boolean {
  const steadyMs = now.monotonicMs - sentAt.monotonicMs;
  const wallMs = now.unixMs - sentAt.unixMs;
  if (steadyMs < 0 || Math.abs(wallMs - steadyMs) > APART_MS_MAX) return true;
  return Math.max(steadyMs, wallMs) >= LEASE_MS;
}
