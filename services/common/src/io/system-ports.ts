import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
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

export const systemRandom: Random = { bytes: (length) => new Uint8Array(randomBytes(length)) };
