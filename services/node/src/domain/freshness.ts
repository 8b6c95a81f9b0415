import type { Moment } from './moment.js';

export const FRESH_WARN_MS = 15 * 60_000;
export const FRESH_STOP_MS = 4 * 3_600_000;

/** The newest answer to a nonce: when the nonce was sent, and the head that the answer named. */
export interface FreshAnswer {
  readonly sentAt: Moment;
  readonly head: number;
}

export type Freshness = 'FRESH' | 'WARN' | 'NOT_FRESH' | 'BEHIND';

/**
 * May content of an origin be read? Age counts from sending; without an answer since the start it is infinite. The
 * clock that says more is believed: a monotonic one may stand still while the machine is suspended.
 */
export function freshness(
  answer: FreshAnswer | undefined,
  applied: number,
  now: Moment,
): Freshness {
  if (!answer) return 'NOT_FRESH';
  const { sentAt, head } = answer;
  const steadyMs = now.monotonicMs - sentAt.monotonicMs;
  const ageMs = Math.max(steadyMs, now.unixMs - sentAt.unixMs);
  if (steadyMs < 0 || ageMs >= FRESH_STOP_MS) return 'NOT_FRESH';
  if (applied < head) return 'BEHIND';
  return ageMs >= FRESH_WARN_MS ? 'WARN' : 'FRESH';
}
