import type { Draw } from '@concordat/common/domain/synthetic/draw.js';
import type { World } from '../world/world.js';

/** Somebody who does something from time to time. */
export interface Actor {
  readonly name: string;
  /** how often beside the others */
  readonly weight: number;
  /** Does it once; what is refused is noted in the book, what may not be refused is thrown. */
  act(world: World, draw: Draw): Promise<void>;
  /** at the end of the story: what it owes others is done, so that all can come to rest; called again until all is */
  settle?(world: World): Promise<void>;
}
