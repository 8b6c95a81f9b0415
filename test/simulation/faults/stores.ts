import type { Draw } from '@concordat/common/domain/synthetic/draw.js';
import { type Process, placeName } from '../world/places.js';
import { PLACES } from '../world/template.js';
import type { World } from '../world/world.js';
import type { Fault } from './fault.js';

type Store = 'data' | 'state' | 'consent' | 'revocation';

/**
 * Which files are one store. A vault is not among them: an origin's has the only keys of what it published, and who has not
 * got them by then never will.
 */
const STORES: Readonly<Record<Process, Readonly<Partial<Record<Store, RegExp>>>>> = {
  node: { data: /^data\.db/, state: /^state\.db/ },
  consent: { consent: /^consent\.db/ },
  revocation: { revocation: /^revocation\.db/ },
};

type Files = ReadonlyMap<string, Uint8Array>;

/** A process ends, its disk is no longer what it was, and it is started again. */
function withoutIt(
  world: World,
  { member, process }: (typeof PLACES)[number],
  change: (files: Files) => Files,
): void {
  const service = world.service(member, process);
  service.kill();
  world.disturbed.add(service.name);
  service.restore(change(service.files()));
}

function entriesOf<Name extends string>(of: Readonly<Partial<Record<Name, RegExp>>>) {
  return Object.entries(of) as [Name, RegExp][];
}

function drawStore(draw: Draw) {
  const place = draw.pick(PLACES);
  const [store, files] = draw.pick(entriesOf(STORES[place.process]));
  return { place, store, files };
}

/** A disk breaks and takes a store with it. */
export const LOST_STORE: Fault = {
  name: 'store lost',
  canHappen: () => true,
  happen: (world, draw) => {
    const { place, store, files } = drawStore(draw);
    world.scheduler.note(`${placeName(place.member, place.process)} loses ${store}`);
    world.reached(`store lost: ${store}`);
    if (world.hasOpenOrder(place.member)) world.reached('a store is lost while an order is open');
    withoutIt(world, place, (all) => new Map([...all].filter(([name]) => !files.test(name))));
  },
};

interface Copy {
  readonly place: (typeof PLACES)[number];
  readonly files: Files;
}
const copies = new WeakMap<World, Copy[]>();

/** Somebody copies a process's directory, running or not. */
export const COPIED_DISK: Fault = {
  name: 'disk copied',
  canHappen: (world) => (copies.get(world)?.length ?? 0) < 12,
  happen: (world, draw) => {
    const place = draw.pick(PLACES);
    const files = world.service(place.member, place.process).files();
    copies.set(world, [...(copies.get(world) ?? []), { place, files }]);
  },
};

/** One store is set back to what it was when its directory was copied. */
export const OLDER_STORE: Fault = {
  name: 'store set back',
  canHappen: (world) => (copies.get(world)?.length ?? 0) > 0,
  happen: (world, draw) => {
    const { place, files: old } = draw.pick(copies.get(world) ?? []);
    const [store, files] = draw.pick(entriesOf(STORES[place.process]));
    world.scheduler.note(`${placeName(place.member, place.process)} has an older ${store}`);
    const isOf = ([name]: readonly [string, Uint8Array]): boolean => files.test(name);
    withoutIt(
      world,
      place,
      (all) => new Map([...[...all].filter((one) => !isOf(one)), ...[...old].filter(isOf)]),
    );
  },
};
