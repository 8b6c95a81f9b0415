import type { MonotonicMs, UnixMs } from './ids.js';

/** All time comes through here, so that the whole federation can run on a simulated clock. */
export interface Clock {
  nowMs(): UnixMs;
  monotonicMs(): MonotonicMs;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** All randomness comes through here. */
export interface Random {
  bytes(length: number): Uint8Array;
}
