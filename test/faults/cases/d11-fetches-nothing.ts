import { setTimeout as delay } from 'node:timers/promises';
import { nudge } from '../load/nudge.js';
import { RECIPIENTS } from '../stage/federation.js';
import { intrude } from '../strikes/intruder.js';
import type { World } from '../world.js';
import { areTold, publishSome, until } from './case.js';

/** 30 s without progress and a look every 5 s, on a busy machine. */
const WATCHDOG_MS_MAX = 60_000;
const TRIES = 5;

/**
 * A consumer is alive and its heartbeats are fine, and of some lanes it fetches nothing: a stranger in its group has them, and does
 * not read. The watchdog makes a new consumer, in a group of its own, and everything comes.
 */
export async function fetchesNothing(world: World): Promise<void> {
  const { stage, cluster } = world;
  const [recipient] = RECIPIENTS;
  const node = stage.service(recipient, 'node');
  const isItsFeed = (group: string): boolean => group.startsWith(`node-${recipient}-feed`);
  for (let nth = 0; ; nth += 1) {
    const loggedBefore = node.log().length;
    const intruder = await intrude(cluster.direct, isItsFeed, 0);
    if (!intruder) {
      if (nth >= TRIES) throw new Error('nobody could join the group of the feed');
      await delay(1_000);
      continue;
    }
    try {
      const events = await publishSome(world, `unfetched-${String(nth)}`, 200);
      await nudge(world); // so that its lanes have something, whichever they are
      await until(
        'the watchdog reads anew',
        () => node.log().slice(loggedBefore).includes('reading anew'),
        WATCHDOG_MS_MAX,
      );
      await until('everything is told of', () => areTold(world, recipient, events));
    } finally {
      await intruder.leave();
    }
    return;
  }
}
