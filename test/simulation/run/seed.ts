import type { Draw } from '@concordat/common/domain/synthetic/draw.js';
import type { Fault } from '../faults/fault.js';
import { tellStory } from '../story/story.js';
import { drawPolicy } from '../world/policy.js';
import { placeName } from '../world/places.js';
import { PLACES, type WorldTemplate } from '../world/template.js';
import { World } from '../world/world.js';
import { heal } from './heal.js';
import { PLAN } from './plan.js';

export interface SeedResult {
  readonly seed: number;
  readonly ed25519: boolean;
  readonly events: number;
  readonly orders: number;
  readonly virtualDays: number;
  readonly steps: number;
  /** empty: everything held */
  readonly violations: readonly string[];
  readonly trace: readonly string[];
  readonly faults: Readonly<Record<string, number>>;
  readonly branches: Readonly<Record<string, number>>;
}

const NAMES = PLACES.map(({ member, process }) => placeName(member, process));
/** Of a hundred seeds one has the signatures that are shipped. */
const ED25519_EVERY = 100;

/** One story of a federation, told from the seed alone, and looked through at its end. */
export async function runSeed(
  template: WorldTemplate,
  seed: number,
  plan = PLAN,
): Promise<SeedResult> {
  const ed25519 = seed % ED25519_EVERY === 0;
  const world = new World(template, seed, { ed25519, policy: drawPolicy });
  try {
    world.witnesses.push(...plan.witnessesOf(world));
    await world.start(NAMES);
    const mix = drawMix(world, plan.faults);
    await tellStory(world, (draw) => {
      for (const fault of mix) letHappen(world, draw, fault);
    });
    await heal(world, mix);
  } catch (cause) {
    world.violated(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause));
  } finally {
    world.dispose();
  }
  const events = [...world.book.events.values()].filter(({ state }) => state === 'accepted').length;
  return {
    ...{ seed, ed25519, events, orders: world.book.orders.size },
    ...{ virtualDays: world.virtualDays, steps: world.scheduler.steps },
    ...{ violations: world.violations, trace: world.scheduler.trace },
    faults: Object.fromEntries(world.faults),
    branches: Object.fromEntries(world.branches),
  };
}

/** Swarm testing: about half of the kinds of faults, others in each seed. */
function drawMix(world: World, faults: readonly Fault[]): Fault[] {
  const draw = world.draw('mix');
  return faults.filter(() => draw.chance(50));
}

/** Out of a hundred bursts: a fault of the seed's mix happens. */
const HAPPENS_PERCENT = 12;

function letHappen(world: World, draw: Draw, fault: Fault): void {
  if (!draw.chance(HAPPENS_PERCENT) || !fault.canHappen(world)) return;
  world.scheduler.note(`FAULT ${fault.name}`);
  world.faults.set(fault.name, (world.faults.get(fault.name) ?? 0) + 1);
  fault.happen(world, draw);
}

/** Starts every process once, on nothing: what its disk has then is what each seed begins with. */
export async function fillStartFiles(template: WorldTemplate): Promise<void> {
  const world = new World(template, 0, { ed25519: false, policy: drawPolicy });
  await world.start(NAMES);
  for (const service of world.services) {
    service.kill();
    template.startFiles.set(service.name, service.files());
  }
  world.dispose();
}
