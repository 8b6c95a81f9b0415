import { ConsentService, OperatorService } from '@concordat/common/io/rpc/definitions.js';
import { drawPolicy } from '../world/policy.js';
import { MEMBERS } from '../world/federation.js';
import { PURPOSES } from '../world/policy.js';
import type { Actor } from './actor.js';
import { SOON, attempt } from './attempt.js';

/** A holder asks the origin to share an event with a third member. */
export const sharer: Actor = {
  name: 'asks to share on',
  weight: 1,
  act: async (world, draw) => {
    const holder = draw.pick(MEMBERS);
    const others = [...world.book.events.values()].filter(({ origin }) => origin !== holder);
    if (others.length === 0) return;
    const node = world.client(OperatorService, holder, 'node', 'operator');
    for (let n = 0; n < 5; n += 1) {
      const { origin, id } = draw.pick(others);
      const recipient = draw.pick(MEMBERS.filter((one) => one !== origin && one !== holder));
      const wish = { eventId: id, recipient, purpose: draw.pick(PURPOSES), reason: 'file 7' };
      await attempt(node.askOnward({ origin, ...wish }, SOON));
    }
  },
};

/** The agreements change, and every service reads them again; what left scope is ordered back by rule. */
export const lawyer: Actor = {
  name: 'changes the agreements',
  weight: 1,
  act: async (world, draw) => {
    if (world.book.policyChanges > 0 || !draw.chance(20)) return;
    world.book.policyChanges += 1;
    world.policy = drawPolicy(draw);
    world.reached('the agreements change');
    for (const member of MEMBERS) {
      await attempt(
        world.client(OperatorService, member, 'node', 'operator').reloadPolicy({}, SOON),
      );
      const consent = world.client(ConsentService, member, 'consent', 'operator');
      await attempt(consent.reloadPolicy({}, SOON));
    }
  },
};
