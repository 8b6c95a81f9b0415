import { MEMBERS } from '../world/federation.js';
import { PROCESSES, placeName } from '../world/places.js';
import type { Fault } from './fault.js';

const HOUR_MS = 3_600_000;

/** A member's processes are down for hours or days: longer than a freshness answer lasts, or a purge's deadline. */
export const ABSENCE: Fault = {
  name: 'absence',
  canHappen: (world) => world.keptDown.size === 0,
  happen: (world, draw) => {
    const member = draw.pick(MEMBERS);
    const names = PROCESSES.filter(() => draw.chance(70)).map((one) => placeName(member, one));
    for (const name of names) {
      world.keptDown.add(name);
      world.services.find((one) => one.name === name)?.kill();
    }
    void world.scheduler
      .sleep(world.outside, draw.pick([2, 6, 30, 75]) * HOUR_MS)
      .then(() => names.forEach((name) => world.keptDown.delete(name)));
  },
};
