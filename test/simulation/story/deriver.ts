import { OperatorService } from '@concordat/common/io/rpc/definitions.js';
import { MEMBERS } from '../world/federation.js';
import type { BookedEvent } from '../world/book.js';
import type { Actor } from './actor.js';
import { SOON, attempt } from './attempt.js';
import { draftOf, publishAll } from './publish.js';

/** Publishes an event that is derived from one or two of other members. */
export const deriver: Actor = {
  name: 'derives',
  weight: 2,
  act: async (world, draw) => {
    const member = draw.pick(MEMBERS);
    const node = world.client(OperatorService, member, 'node', 'operator');
    const others = [...world.book.events.values()].filter(({ origin }) => origin !== member);
    const parents: BookedEvent[] = [];
    for (let n = 0; n < 8 && others.length > 0 && parents.length < 2; n += 1) {
      const event = draw.pick(others);
      const shown = await attempt(node.show({ origin: event.origin, eventId: event.id }, SOON));
      if (shown.ok && shown.value.state === 'READABLE' && !parents.includes(event)) {
        parents.push(event);
      }
    }
    if (parents.length === 0) return;
    const names = parents.map(({ origin, id }) => ({ origin, id }));
    const draft = draftOf(world, draw, member, { parents: names });
    await publishAll(world, member, [draft]);
    if (draft.event.state === 'accepted')
      world.reached("an event is derived from another member's");
  },
};
