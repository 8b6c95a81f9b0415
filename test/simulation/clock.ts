import { type MonotonicMs, asUnixMs } from '@concordat/common/domain/ids.js';
import type { Clock } from '@concordat/common/domain/ports.js';
import type { SimulatedProcess } from './process.js';
import type { Scheduler } from './scheduler.js';

/** The scheduler's time as one process sees it. */
export function simulatedClock(scheduler: Scheduler, process: SimulatedProcess): Clock {
  return {
    nowMs: () => asUnixMs(scheduler.nowMs),
    monotonicMs: () => scheduler.nowMs as MonotonicMs,
    sleep: (ms, signal) => scheduler.sleep(process, ms, signal),
  };
}
