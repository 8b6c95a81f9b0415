import { setTimeout as delay } from 'node:timers/promises';
import type { World } from '../world.js';
import { nudge } from './nudge.js';

const LOOK_MS = 300;
const NUDGED_EACH = 10;
/** What was acknowledged has to be seen, and every order answered, so long after the last fault. */
const UNSEEN_MS_MAX = 60_000;

/**
 * Waits until every subscriber has been told of what is acknowledged and not taken back, and every order is closed. What is
 * not there after its time the checker finds.
 */
export async function settle(world: World): Promise<void> {
  const { book, officer, subscribers } = world;
  const untilMs = performance.now() + UNSEEN_MS_MAX;
  for (let nth = 1; performance.now() < untilMs; nth += 1) {
    await delay(LOOK_MS);
    if (nth % NUDGED_EACH === 0) await nudge(world);
    for (const { failed } of subscribers) if (failed !== undefined) throw failed as Error;
    const open = await officer.look().catch(() => Infinity);
    const wanted = [...book.acknowledged].filter((event) => !officer.isOrdered(event));
    const all = subscribers.every(({ told }) => wanted.every((event) => told.has(event)));
    if (all && open === 0) return;
  }
}
