import type { MonotonicMs, UnixMs } from '@concordat/common/domain/ids.js';
import type { Clock } from '@concordat/common/domain/ports.js';

/** One moment by both clocks. */
export interface Moment {
  readonly monotonicMs: MonotonicMs;
  readonly unixMs: UnixMs;
}

export function momentOf(clock: Pick<Clock, 'monotonicMs' | 'nowMs'>): Moment {
  return { monotonicMs: clock.monotonicMs(), unixMs: clock.nowMs() };
}
