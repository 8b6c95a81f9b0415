import { ConcordatError, type ConcordatErrorCode } from '@concordat/common/domain/errors.js';
import type { Clock } from '@concordat/common/domain/ports.js';

const PAUSE_MS = 200;
/** What an event that is still on its way answers. */
const ON_ITS_WAY: readonly ConcordatErrorCode[] = [
  'EVENT_UNKNOWN',
  'NOT_READABLE_YET',
  'BEHIND',
  'NOT_FRESH',
];

export function isOnItsWay({ code }: ConcordatError): boolean {
  return ON_ITS_WAY.includes(code);
}

/** Asks again while the answer is one that passes; after `patienceMs` the last answer stands. */
export async function untilThere<T>(
  clock: Clock,
  patienceMs: number,
  passes: (error: ConcordatError) => boolean,
  ask: () => Promise<T>,
): Promise<T> {
  const deadlineMs = clock.monotonicMs() + patienceMs;
  for (;;) {
    try {
      return await ask();
    } catch (cause) {
      const goesOn = cause instanceof ConcordatError && passes(cause);
      if (!goesOn || clock.monotonicMs() + PAUSE_MS > deadlineMs) throw cause;
      await clock.sleep(PAUSE_MS);
    }
  }
}
