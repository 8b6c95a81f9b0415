import type { Draw } from '@concordat/common/domain/synthetic/draw.js';
import type { World } from '../world/world.js';
import type { Fault } from './fault.js';

/** A kind of fault, and how often it strikes at most, out of a hundred bursts. */
export type FaultKind = readonly [fault: Fault, percentMax: number];

/** What goes wrong in one seed: a drawn half of all kinds, each with a rate of its own, so that every mix comes. */
export class Swarm {
  readonly mix: readonly Fault[];
  readonly #world: World;
  readonly #draw: Draw;
  readonly #percents: ReadonlyMap<Fault, number>;

  constructor(world: World, kinds: readonly FaultKind[]) {
    this.#world = world;
    this.#draw = world.draw('swarm');
    this.#percents = new Map(
      kinds
        .filter(() => this.#draw.chance(50))
        .map(([fault, most]) => [fault, this.#draw.whole(1, most)]),
    );
    this.mix = [...this.#percents.keys()];
    for (const [{ name }, percent] of this.#percents) {
      world.scheduler.note(`fault of this seed: ${name}, ${String(percent)} of 100 bursts`);
    }
  }

  /** At each burst of the story. */
  strike(): void {
    const world = this.#world;
    for (const [fault, percent] of this.#percents) {
      if (!this.#draw.chance(percent) || !fault.canHappen(world)) continue;
      world.scheduler.note(`FAULT ${fault.name}`);
      world.faults.set(fault.name, (world.faults.get(fault.name) ?? 0) + 1);
      fault.happen(world, this.#draw);
    }
  }
}
