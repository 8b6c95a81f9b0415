import { setTimeout as delay } from 'node:timers/promises';
import { machineMs } from './proc.js';

/** When each of `count` items is due, in machine milliseconds: the first now. */
export function dueTimes(count: number, perSecond: number): number[] {
  const startMs = machineMs();
  return Array.from({ length: count }, (_, at) => startMs + (at * 1_000) / perSecond);
}

/** Yields each item when it is due, or as soon as it is asked for after that. */
export async function* whenDue<T>(
  items: readonly T[],
  dueMs: readonly number[],
): AsyncGenerator<T, void, undefined> {
  for (const [at, item] of items.entries()) {
    const waitMs = (dueMs[at] ?? 0) - machineMs();
    if (waitMs > 0) await delay(Math.ceil(waitMs));
    yield item;
  }
}

/**
 * Starts `send` for each item when it is due, without waiting for the ones before: a slow answer delays no later item, and its
 * own delay is counted from when it was due (no coordinated omission).
 *
 * @returns when each was due, in machine milliseconds, once every send has ended
 */
export async function openLoop<T>(
  items: readonly T[],
  perSecond: number,
  send: (item: T) => Promise<void>,
): Promise<number[]> {
  const dueMs = dueTimes(items.length, perSecond);
  const sends: Promise<void>[] = [];
  let failed: unknown;
  for await (const item of whenDue(items, dueMs)) {
    if (failed !== undefined) break;
    sends.push(send(item).catch((cause: unknown) => void (failed ??= cause)));
  }
  await Promise.all(sends);
  if (failed !== undefined) throw failed as Error;
  return dueMs;
}
