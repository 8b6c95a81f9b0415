import { FAULTS } from '../faults/all.js';
import type { FaultKind } from '../faults/swarm.js';
import { witnessesOf } from '../witness/witnesses.js';
import type { Witness } from '../witness/witness.js';
import type { Actor } from '../story/actor.js';
import type { World } from '../world/world.js';

/** What runs beside the story of each seed. */
export interface SeedPlan {
  /** who looks on: made anew for each world */
  readonly witnessesOf: (world: World) => readonly Witness[];
  /** who acts; the usual, unless told otherwise */
  readonly actors?: readonly Actor[];
  /** what can go wrong; each seed has its own mix of them */
  readonly faults: readonly FaultKind[];
}

export const PLAN: SeedPlan = { witnessesOf, faults: FAULTS };
