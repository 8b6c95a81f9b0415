import { NationalService } from '@concordat/common/io/rpc/definitions.js';
import { eventKey } from '../world/book.js';
import { MEMBERS } from '../world/federation.js';
import { PURPOSES } from '../world/policy.js';
import type { Actor } from './actor.js';
import { SOON, attempt } from './attempt.js';
import { type Draft, draftOf, publishAll } from './publish.js';

/** What comes after so many is to be little: every event has its price. */
const EVENTS_ENOUGH = 500;

/** Publishes a handful of events, or many. */
export const publisher: Actor = {
  name: 'publishes',
  weight: 1,
  act: async (world, draw) => {
    const origin = draw.pick(MEMBERS);
    const isEnough = world.book.events.size > EVENTS_ENOUGH;
    const drafts = draw.list(isEnough ? 1 : 20, isEnough ? 6 : 50, () =>
      draftOf(world, draw, origin),
    );
    const own = world.book.eventsOf(origin).filter(({ state }) => state === 'accepted');
    if (own.length > 0 && draw.chance(40)) {
      const change = { supersedes: draw.pick(own).id };
      drafts.push(draftOf(world, draw, origin, change));
      world.reached('an event supersedes another');
    }
    if (draw.chance(25)) drafts.push(invalid(draftOf(world, draw, origin)));
    await publishAll(world, origin, drafts);
    if (drafts.some(({ event }) => event.state === 'refused')) {
      world.reached('an invalid event is refused');
    }
    if (!draw.chance(20)) return;
    await publishAll(world, origin, drafts.slice(0, 3)); // whoever got no answer sends it again
    world.reached('an event is published twice');
  },
};

/** Its content does not fit its schema. */
function invalid({ event, request }: Draft): Draft {
  return { event, request: { ...request, contentJson: Buffer.from('{"nothing":1}') } };
}

/** Reads some of what there is, of its own member and of others. */
export const reader: Actor = {
  name: 'reads',
  weight: 4,
  act: async (world, draw) => {
    const known = [...world.book.events.values()];
    if (known.length === 0) return;
    const member = draw.pick(MEMBERS);
    const node = world.client(NationalService, member, 'node', 'system');
    for (let n = draw.whole(1, 4); n > 0; n -= 1) {
      const event = draw.pick(known);
      const request = {
        ...{ origin: event.origin, eventId: event.id },
        ...{ purpose: draw.pick(PURPOSES), caseId: `case-${String(n)}` },
      };
      const came = await attempt(node.read(request, SOON));
      if (came.ok && member !== event.origin) world.reached('an event of another is read');
      const outcome = came.ok ? 'reads' : came.code;
      world.scheduler.note(`a system of ${member}: ${outcome} ${eventKey(event)}`);
    }
  },
};
