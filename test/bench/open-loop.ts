import { setTimeout as delay } from 'node:timers/promises';
import { machineMs } from './proc.js';

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
  const startMs = machineMs();
  const dueMs = items.map((_, at) => startMs + (at * 1_000) / perSecond);
  const sends: Promise<void>[] = [];
  let failed: unknown;
  for (const [at, item] of items.entries()) {
    const waitMs = (dueMs[at] ?? 0) - machineMs();
    if (waitMs > 0) await delay(Math.ceil(waitMs));
    if (failed !== undefined) break;
    sends.push(send(item).catch((cause: unknown) => void (failed ??= cause)));
  }
  await Promise.all(sends);
  if (failed !== undefined) throw failed as Error;
  return dueMs;
}
