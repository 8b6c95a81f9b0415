import { ORIGIN } from '../stage/federation.js';
import { type World, nationalOf } from '../world.js';
import { publish } from './publisher.js';

/** One more than there are lanes: a block that is published alone goes to the next lane each time. */
const EVENTS = 13;

/**
 * Publishes something on every lane. What is missing at the end of a lane shows with the lane's next record, and not before
 * where nothing of the lane was ever read.
 */
export async function nudge(world: Pick<World, 'stage' | 'book'>): Promise<void> {
  for (let nth = 0; nth < EVENTS; nth += 1) {
    await publish(nationalOf(world, ORIGIN), world.book, {
      ...{ name: 'nudge', events: 1, perSecond: 1, random: () => 0.5 },
    });
  }
}
