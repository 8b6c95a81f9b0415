import { placeName } from '../world/places.js';
import { PLACES } from '../world/template.js';
import type { Fault } from './fault.js';

const JUMP_MS = 10 * 60_000;

/** A process's clock is set, up to ten minutes wrong; what it measures durations with goes on. */
export const CLOCK_JUMP: Fault = {
  name: 'clock jump',
  canHappen: () => true,
  happen: (world, draw) => {
    const { member, process } = draw.pick(PLACES);
    const name = placeName(member, process);
    if (draw.chance(25)) world.skews.delete(name);
    else world.skews.set(name, draw.whole(-JUMP_MS, JUMP_MS));
  },
};
