import { setTimeout as delay } from 'node:timers/promises';
import { MEMBERS } from '../stage/federation.js';
import type { World } from '../world.js';
import { probe } from './prober.js';

const PAUSE_MS = 700;
const ORDER_EVENTS_MAX = 8;
/** Of what is gone, so many are tried at each node each time. */
const PROBED = 4;

/** Takes some of what is acknowledged back, all the while, and tries to read what is gone. */
export async function keepPurging(
  world: World,
  random: () => number,
  isOver: () => boolean,
): Promise<void> {
  const { book, officer } = world;
  while (!isOver() && !book.isClosed) {
    await delay(PAUSE_MS);
    const free = [...book.acknowledged].filter((event) => !officer.isOrdered(event));
    const count = Math.min(free.length, 1 + Math.floor(random() * ORDER_EVENTS_MAX));
    const some = Array.from({ length: count }, () => {
      return free.splice(Math.floor(random() * free.length), 1);
    }).flat();
    if (some.length > 0) await officer.takeBack(some);
    await officer.look().catch(() => undefined);
    const gone = [...officer.gone].filter(([, members]) => members.size > 0);
    const sample = gone.filter(() => random() < PROBED / gone.length).map(([event]) => event);
    await Promise.all(MEMBERS.map((member) => probe(world, member, sample)));
  }
}
