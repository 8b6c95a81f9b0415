import { setTimeout as delay } from 'node:timers/promises';
import { machineMs } from './proc.js';

const STILL_MS_MAX = 60_000;
const PAUSE_MS_MIN = 5;
const PAUSE_MS_MAX = 500;
/** While nothing has moved yet. */
const PAUSE_MS_STILL = 50;

/**
 * Asks until `have` answers `wanted`, seldom at first and finely towards the end: to ask costs what is being measured.
 *
 * @returns machine milliseconds of the answer that was complete
 * @throws Error when there is more than wanted, or no progress for a minute: events were lost or doubled
 */
export async function untilComplete(
  what: string,
  wanted: number,
  have: () => Promise<number>,
  { stillMsMax = STILL_MS_MAX }: { readonly stillMsMax?: number } = {},
): Promise<number> {
  const startMs = machineMs();
  let [first, last, changedMs] = [-1, -1, startMs];
  for (;;) {
    const found = await have();
    const nowMs = machineMs();
    if (found === wanted) return nowMs;
    const counts = `${what}: expected ${String(wanted)}, came ${String(found)}`;
    if (found > wanted) throw new Error(`${counts}: something was counted twice`);
    if (first < 0) first = found;
    if (found !== last) [last, changedMs] = [found, nowMs];
    else if (nowMs - changedMs > stillMsMax)
      throw new Error(`${counts}, and no more for ${String(stillMsMax)} ms`);
    const perMs = (found - first) / (nowMs - startMs);
    const pauseMs = perMs > 0 ? (wanted - found) / perMs / 4 : PAUSE_MS_STILL;
    await delay(Math.min(PAUSE_MS_MAX, Math.max(PAUSE_MS_MIN, pauseMs)));
  }
}
