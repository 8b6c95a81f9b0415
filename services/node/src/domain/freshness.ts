import type { MonotonicMs } from '@concordat/common/domain/ids.js';

export const FRESH_WARN_MS = 15 * 60_000;
export const FRESH_STOP_MS = 4 * 3_600_000;

/** The newest answer to a nonce: when the nonce was sent by our monotonic clock, and the head it named. */
export interface FreshAnswer {
  readonly sentAtMs: MonotonicMs;
  readonly head: number;
}

export type Freshness = 'FRESH' | 'WARN' | 'NOT_FRESH' | 'BEHIND';

/** May content of an origin be read? Age counts from sending; without an answer since the start it is infinite. */
export function freshness(
  answer: FreshAnswer | undefined,
  applied: number,
  nowMs: MonotonicMs,
): Freshness {
  if (!answer) return 'NOT_FRESH';
  const ageMs = nowMs - answer.sentAtMs;
  if (ageMs < 0 || ageMs >= FRESH_STOP_MS) return 'NOT_FRESH';
  if (applied < answer.head) return 'BEHIND';
  return ageMs >= FRESH_WARN_MS ? 'WARN' : 'FRESH';
}
