import { OperatorService } from '@concordat/common/io/rpc/definitions.js';
import { type BookedHold, type EventName, eventKey } from '../world/book.js';
import { MEMBERS } from '../world/federation.js';
import type { World } from '../world/world.js';
import type { Actor } from './actor.js';
import { SOON, attempt } from './attempt.js';

const DAY_MS = 86_400_000;
const WHY = { ground: 'file 12', authority: 'a court' };

/** The law keeps an event of another member from being deleted for some days; or no more. */
export const holder: Actor = {
  name: 'holds or releases',
  weight: 1,
  act: async (world, draw) => {
    const placed = [...world.book.holds.values()];
    if (placed.length > 0 && draw.chance(40)) {
      await release(world, draw.pick(placed));
      return;
    }
    const member = draw.pick(MEMBERS);
    const others = [...world.book.events.values()].filter(({ origin }) => origin !== member);
    if (others.length === 0) return;
    for (let n = 0; n < 4; n += 1) {
      const { origin, id } = draw.pick(others);
      const reviewAtMs = world.nowMs + draw.pick([1, 5]) * DAY_MS;
      const node = world.client(OperatorService, member, 'node', 'operator');
      const came = await attempt(node.placeHold({ origin, eventId: id, ...WHY, reviewAtMs }, SOON));
      const hold: BookedHold = { member, origin, id };
      if (came.ok || came.code === 'PEER_UNAVAILABLE') world.book.holds.set(holdKey(hold), hold);
      if (!came.ok) continue;
      world.reached('the law keeps an event');
      return;
    }
  },
  settle: async (world) => {
    for (const hold of [...world.book.holds.values()]) await release(world, hold);
  },
};

async function release(world: World, hold: BookedHold): Promise<void> {
  const { member, origin, id } = hold;
  const node = world.client(OperatorService, member, 'node', 'operator');
  const came = await attempt(node.releaseHold({ origin, eventId: id }, SOON));
  if (came.ok || came.code !== 'PEER_UNAVAILABLE') world.book.holds.delete(holdKey(hold));
}

function holdKey(hold: EventName & Pick<BookedHold, 'member'>): string {
  return `${hold.member} ${eventKey(hold)}`;
}
