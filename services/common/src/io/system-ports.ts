import { randomFillSync } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { outsideOfHeap } from '../domain/bytes.js';
import type { MonotonicMs, UnixMs } from '../domain/ids.js';
import type { Clock, Random } from '../domain/ports.js';

export const systemClock: Clock = {
  nowMs: () => Date.now() as UnixMs,
  monotonicMs: () => performance.now() as MonotonicMs,
  sleep: (ms, signal) => {
    // many may sleep under one signal, a lane each; every sleeper takes its listener away again
    if (signal) setMaxListeners(0, signal);
    return delay(ms, undefined, signal ? { signal } : {});
  },
};

/** Drawn at once: asking the system for 32 bytes costs ten times what copying them does. */
const POOL_BYTES = 8_192;
const pool = new Uint8Array(POOL_BYTES);
let used = POOL_BYTES;

export const systemRandom: Random = {
  bytes: (length) => {
    if (length > POOL_BYTES / 8) return randomFillSync(new Uint8Array(length));
    if (used + length > POOL_BYTES) {
      randomFillSync(pool);
      used = 0;
    }
    const drawn = outsideOfHeap(length); // most become keys and nonces
    drawn.set(pool.subarray(used, used + length));
    // a key must not lie in memory a second time
    pool.fill(0, used, used + length);
    used += length;
    return drawn;
  },
};
