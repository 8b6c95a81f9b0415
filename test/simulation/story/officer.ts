import { MEMBERS } from '../world/federation.js';
import type { Actor } from './actor.js';
import { approveOrder, orderPurge } from './orders.js';

/** Takes back single events, by their ids. */
export const officer: Actor = {
  name: 'orders a purge',
  weight: 2,
  act: async (world, draw) => {
    const origin = draw.pick(MEMBERS);
    const own = world.book.eventsOf(origin).filter(({ state }) => state === 'accepted');
    if (own.length === 0) return;
    const ids = draw.some(own, Math.min(own.length, 4)).map(({ id }) => id);
    const order = await orderPurge(world, draw, { origin, ids, scope: 'event' });
    if (order.state === 'accepted' && draw.chance(20)) await approveOrder(world, order, 2);
  },
};
