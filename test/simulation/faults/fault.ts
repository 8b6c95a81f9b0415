import type { Draw } from '@concordat/common/domain/synthetic/draw.js';
import type { World } from '../world/world.js';

/** One kind of thing that goes wrong. A seed has its own mix of them. */
export interface Fault {
  readonly name: string;
  /** Could it happen now, in this world? */
  canHappen(world: World): boolean;
  /** It happens, or begins to; what it counts as is counted by its caller. */
  happen(world: World, draw: Draw): void;
  /** What began is over: for the end of a story, when everything heals. */
  heal?(world: World): void;
}
