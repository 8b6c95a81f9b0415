import { placeName } from '../world/places.js';
import { PLACES } from '../world/template.js';
import type { Fault } from './fault.js';

/** SIGKILL right after one of the next commits, whichever that is; it is started again a moment later. */
export const CRASH: Fault = {
  name: 'crash at a commit',
  canHappen: () => true,
  happen: (world, draw) => {
    const { member, process } = draw.pick(PLACES);
    world.scheduler.note(`${placeName(member, process)} will die`);
    world.service(member, process).dieAfter(draw.whole(1, draw.pick([3, 20])));
  },
};

/** All processes of a member at once, as when its building has no power. */
export const POWER_CUT: Fault = {
  name: 'power cut',
  canHappen: () => true,
  happen: (world, draw) => {
    const { member } = draw.pick(PLACES);
    for (const one of PLACES) if (one.member === member) world.service(member, one.process).kill();
  },
};
