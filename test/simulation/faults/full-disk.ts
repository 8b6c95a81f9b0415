import { placeName } from '../world/places.js';
import { PLACES } from '../world/template.js';
import type { Fault } from './fault.js';

const FULL_MS = [300, 3_000, 60_000] as const;

/** For a while nothing can be written where a process has its data: no commit succeeds. */
export const FULL_DISK: Fault = {
  name: 'disk full',
  canHappen: (world) => world.template.disks.full.size < 2,
  happen: (world, draw) => {
    const { member, process } = draw.pick(PLACES);
    const name = placeName(member, process);
    const { full } = world.template.disks;
    full.add(name);
    void world.scheduler.sleep(world.outside, draw.pick(FULL_MS)).then(() => full.delete(name));
  },
  heal: (world) => world.template.disks.full.clear(),
};
