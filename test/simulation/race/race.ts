import type { SimulatedDisks } from '../disk.js';
import type { Counts } from './branches.js';
import { demandEnd, isQuiet, leftOver } from './end.js';
import { Story } from './story.js';
import type { RaceTemplate } from './template.js';
import { RaceWorld } from './world.js';

export interface RaceResult {
  readonly seed: number;
  /** empty: everything held */
  readonly violations: readonly string[];
  readonly trace: readonly string[];
  readonly branches: Counts;
}

const STEPS_MAX = 6_000;

/**
 * One race of releases, readings, orders and purges between an origin and a recipient that both may die at any time. The
 * seed decides everything. Ends with the first violation, or when all is at rest and has been looked through.
 */
export async function runRace(
  template: RaceTemplate,
  seed: number,
  disks: SimulatedDisks,
): Promise<RaceResult> {
  const world = new RaceWorld(template, seed, disks);
  const { scheduler, origin, recipient, violations, branches } = world;
  const story = new Story(world);
  try {
    await scheduler.drive(Promise.all([origin.start(), recipient.start()]));
    story.begin();
    await runUntil(world, story, () => !world.isBusy);
    world.faults.percent = 0;
    for (const node of [origin, recipient]) node.dieAfter(Infinity);
    await runUntil(world, story, () => isQuiet(world));
    if (violations.length === 0) await demandEnd(world, story.eager);
  } catch (cause) {
    world.violated(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause));
  } finally {
    world.dispose();
  }
  return { seed, violations, trace: scheduler.trace, branches };
}

async function runUntil(world: RaceWorld, story: Story, isOver: () => boolean): Promise<void> {
  while (!isOver() && world.violations.length === 0) {
    if (world.scheduler.steps > STEPS_MAX) {
      world.violated(`not settled after ${String(STEPS_MAX)} steps: ${leftOver(world)}`);
      return;
    }
    await world.scheduler.step();
    world.reviveDead();
    story.readPurged();
  }
}
