import { CountedBranches } from '../branches/counted.js';
import { Swarm } from '../faults/swarm.js';
import { LateJoiner } from '../story/late-joiner.js';
import { ACTORS, tellStory } from '../story/story.js';
import { drawPolicy } from '../world/policy.js';
import { placeName } from '../world/places.js';
import { PLACES, type WorldTemplate } from '../world/template.js';
import { Evidence } from '../witness/evidence.js';
import { World } from '../world/world.js';
import { heal } from './heal.js';
import { PLAN, type SeedPlan } from './plan.js';

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
  plan: SeedPlan = PLAN,
): Promise<SeedResult> {
  const ed25519 = seed % ED25519_EVERY === 0;
  const world = new World(template, seed, { ed25519, policy: drawPolicy });
  try {
    world.witnesses.push(new CountedBranches(world), new Evidence(world));
    world.witnesses.push(...plan.witnessesOf(world));
    const late = new LateJoiner(world);
    await world.start(NAMES.filter((name) => name.split(' ')[0] !== late.member));
    const swarm = new Swarm(world, plan.faults);
    const actors = plan.actors ?? ACTORS;
    await tellStory(world, actors, () => {
      late.join();
      swarm.strike();
    });
    late.join(true);
    await heal(world, swarm.mix, actors);
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
