import type { Draw } from '@concordat/common/domain/synthetic/draw.js';
import type { World } from '../world/world.js';
import type { Actor } from './actor.js';
import { auditor } from './desk/auditor.js';
import { clumsyHands } from './desk/clumsy-hands.js';
import { listKeeper } from './desk/list-keeper.js';
import { ordersDesk } from './desk/orders-desk.js';
import { readingDesk } from './desk/reading-desk.js';
import { schemaKeeper } from './desk/schema-keeper.js';
import { publisher, reader } from './national-system.js';
import { holder } from './holds.js';
import { dropper, officer, operator, selectingOfficer } from './officer.js';
import { deriver } from './deriver.js';
import { lawyer, sharer } from './sharing.js';
import { copySystem } from './systems.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAYS_MIN = 7;
const EVENTS_MIN = 500;
/** Between two bursts, mostly a few hours: freshness, deadlines, retention and leases all end in between. */
const LEAPS_MS = [
  3 * MINUTE_MS,
  HOUR_MS,
  5 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  30 * HOUR_MS,
] as const;
/** What one burst may take. */
const BURST_STEPS_MAX = 6_000;
const BURST_MS_MAX = 2_500;

export const ACTORS: readonly Actor[] = [
  ...[publisher, reader, officer],
  ...[readingDesk, ordersDesk, listKeeper, clumsyHands, auditor, schemaKeeper],
];

/** With those whose ends not every witness can judge yet: `make simulate ARGS=--everybody`. */
export const EVERYBODY: readonly Actor[] = [
  ...ACTORS,
  ...[selectingOfficer, dropper, operator, holder, copySystem, sharer, lawyer, deriver],
];

/** Bursts of doing, and leaps of hours between them, until there were enough events and days. */
export async function tellStory(
  world: World,
  actors: readonly Actor[],
  atBurst: (draw: Draw) => void,
): Promise<void> {
  const draw = world.draw('story');
  while (!world.isOver()) {
    const isEnough = world.virtualDays >= DAYS_MIN && acceptedIn(world) >= EVENTS_MIN;
    if (isEnough) return;
    for (const actor of [publisher, ...draw.list(1, 3, () => drawActor(draw, actors))]) {
      world.begin(actor.name, async () => {
        await world.scheduler.sleep(world.outside, draw.whole(0, BURST_MS_MAX / 2));
        await actor.act(world, draw);
      });
    }
    atBurst(draw);
    const isOver = await world.stepUntil(() => !world.isBusy, BURST_STEPS_MAX);
    if (!isOver && !world.isOver()) {
      world.violated(`a burst was not over after ${String(BURST_STEPS_MAX)} steps`);
    }
    await world.stepFor(draw.whole(50, BURST_MS_MAX), BURST_STEPS_MAX);
    world.scheduler.leap(draw.pick(LEAPS_MS));
  }
}

function acceptedIn({ book }: World): number {
  let count = 0;
  for (const { state } of book.events.values()) if (state === 'accepted') count += 1;
  return count;
}

function drawActor(draw: Draw, actors: readonly Actor[]): Actor {
  let at = draw.whole(
    1,
    actors.reduce((sum, { weight }) => sum + weight, 0),
  );
  for (const actor of actors) {
    at -= actor.weight;
    if (at <= 0) return actor;
  }
  throw new Error('expected an actor');
}
