import { PurgeService } from '@concordat/common/io/rpc/definitions.js';
import type { Fault } from '../faults/fault.js';
import type { Actor } from '../story/actor.js';
import { attempt } from '../story/attempt.js';
import { MEMBERS } from '../world/federation.js';
import { placeName } from '../world/places.js';
import { PLACES } from '../world/template.js';
import type { World } from '../world/world.js';

const ROUNDS_MAX = 40;
const ROUND_MS = 3_000;
const ROUND_STEPS_MAX = 6_000;
/** Between two rounds: nothing may need longer than all of them. */
const LEAP_MS = 10 * 60_000;
const SOON = { timeoutMs: 20_000 };

/** Nothing fails any more: within bounded virtual time everything comes to its end, or that is a violation. */
export async function heal(
  world: World,
  faults: readonly Fault[],
  actors: readonly Actor[],
): Promise<void> {
  world.scheduler.note('all faults end');
  for (const fault of faults) fault.heal?.(world);
  world.weather.clear();
  world.keptDown.clear();
  world.skews.clear();
  for (const service of world.services) service.dieAfter(Infinity);
  let left = '';
  for (let round = 0; round < ROUNDS_MAX && !world.isOver(); round += 1) {
    await world.stepFor(ROUND_MS, ROUND_STEPS_MAX);
    for (const { name, settle } of actors) {
      if (settle) world.begin(name, () => settle(world));
    }
    await world.stepUntil(() => !world.isBusy, ROUND_STEPS_MAX);
    left = await leftOver(world);
    if (left === '') break;
    world.scheduler.note(`still to come: ${left}`);
    world.scheduler.leap(LEAP_MS);
  }
  if (world.isOver()) return;
  if (left !== '') {
    world.violated(`not at rest after all faults ended: ${left}`);
    return;
  }
  for (const witness of world.witnesses) {
    if (witness.healed) await world.scheduler.drive(witness.healed());
  }
}

async function leftOver(world: World): Promise<string> {
  const down = PLACES.map(({ member, process }) => placeName(member, process)).filter((name) => {
    const service = world.services.find((one) => one.name === name);
    return service !== undefined && service.lives > 0 && !service.isServing;
  });
  if (down.length > 0) return `${down.join(', ')} not up`;
  for (const witness of world.witnesses) {
    const left = witness.unfinished?.();
    if (left !== undefined) return `${witness.name}: ${left}`;
  }
  for (const member of MEMBERS) {
    if (!world.service(member, 'revocation').isServing) continue;
    const office = world.client(PurgeService, member, 'revocation', 'operator');
    const came = await world.scheduler.drive(attempt(office.list({}, SOON)));
    if (!came.ok) return `${member} does not list its orders: ${came.code}`;
    const open = came.value.orders.filter(({ state }) => !OVER.has(state));
    const [first] = open;
    if (first) {
      const { orderId, state, lastError, holders } = first;
      const waiting = holders.map((one) => `${one.member} ${one.state}`).join(', ');
      return `${String(open.length)} orders of ${member}: ${orderId} ${state} ${lastError} ${waiting}`;
    }
  }
  return '';
}

/** Of orders; one that awaits an approval may wait for ever. */
const OVER: ReadonlySet<string> = new Set(['CLOSED', 'REFUSED', 'AWAITING_APPROVAL']);
