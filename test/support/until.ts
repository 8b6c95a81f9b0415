import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 10;

/** Resolves once `condition` holds; never a fixed wait. Rejects, saying what was waited for, after `deadlineMs`. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 20_000,
): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > endMs)
      throw new Error(`waited ${String(deadlineMs)} ms in vain: ${what}`);
    await delay(POLL_MS);
  }
}
