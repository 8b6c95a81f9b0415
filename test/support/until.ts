import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 10;
/** Long: a test fails by what it finds, not because the machine is busy. */
const DEADLINE_MS = 60_000;

/** Resolves once `condition` holds; never a fixed wait. Rejects, saying what was waited for, after `deadlineMs`. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = DEADLINE_MS,
): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > endMs)
      throw new Error(`waited ${String(deadlineMs)} ms in vain: ${what}`);
    await delay(POLL_MS);
  }
}
