import { ConcordatError, asConcordatError } from '@concordat/common/domain/errors.js';
import type { Clock } from '@concordat/common/domain/ports.js';

const RETRY_MS = 200;
const RETRY_FOR_MS = 90_000;
const POLL_MS = 150;
/** Without any progress for so long, a wait is given up. */
const STILL_MS_MAX = 90_000;

/** Calls again while the failure is one that could pass: services restart. */
export async function insist<T>(clock: Clock, call: () => Promise<T>): Promise<T> {
  const untilMs = clock.monotonicMs() + RETRY_FOR_MS;
  for (;;) {
    try {
      return await call();
    } catch (cause) {
      const error = asConcordatError(cause);
      if (!error.retryable || clock.monotonicMs() > untilMs) throw error;
      await clock.sleep(RETRY_MS);
    }
  }
}

/**
 * Asks until nothing is missing.
 *
 * @param missing what is still awaited, in words that change with progress; undefined when all is there
 * @throws ConcordatError DEADLINE_EXCEEDED with the last words when they stop changing
 */
export async function waitFor(
  clock: Clock,
  missing: () => Promise<string | undefined>,
): Promise<void> {
  let last = '';
  let changedMs = clock.monotonicMs();
  for (;;) {
    const text = await insist(clock, missing);
    if (text === undefined) return;
    if (text !== last) {
      last = text;
      changedMs = clock.monotonicMs();
    } else if (clock.monotonicMs() - changedMs > STILL_MS_MAX) {
      throw new ConcordatError('DEADLINE_EXCEEDED', `no progress: still waiting for ${text}`);
    }
    await clock.sleep(POLL_MS);
  }
}

/** Runs `work` over all items, so many at a time, and calls back after each. */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const lanes = Array.from({ length: Math.min(width, items.length) }, async () => {
    for (const item of queue) await work(item);
  });
  await Promise.all(lanes);
}
