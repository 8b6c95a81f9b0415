import type { MemberId } from '@concordat/common/domain/ids.js';
import { MEMBERS } from '../world/federation.js';
import { PROCESSES, placeName } from '../world/places.js';
import type { World } from '../world/world.js';

/** Of a hundred seeds: one member's processes are started days after the others'. */
const LATE_PERCENT = 30;
const DAYS_LATE_MAX = 5;

export class LateJoiner {
  readonly #world: World;
  readonly member: MemberId | undefined;
  readonly #afterDays: number;
  #isThere: boolean;

  constructor(world: World) {
    const draw = world.draw('late joiner');
    this.#world = world;
    this.member = draw.chance(LATE_PERCENT) ? draw.pick(MEMBERS) : undefined;
    this.#afterDays = draw.whole(0, DAYS_LATE_MAX);
    this.#isThere = this.member === undefined;
  }

  /** Starts its processes when it is time, or because the story ends. */
  join(isNow = false): void {
    const { member } = this;
    if (this.#isThere || member === undefined) return;
    if (!isNow && this.#world.virtualDays < this.#afterDays) return;
    this.#isThere = true;
    this.#world.reached('a member joins late');
    for (const process of PROCESSES) {
      const name = placeName(member, process);
      this.#world.begin(`the first start of ${name}`, () => this.#world.startOne(name));
    }
  }
}
