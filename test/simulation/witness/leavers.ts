import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import type { KeysGiven } from './keys-given.js';
import { type Scene, violate } from './scene.js';
import { names } from './sight/papers.js';
import type { Sight } from './sight/sight.js';
import type { Witness } from './witness.js';

/** S14: everything that a member was given which leaves is ordered back from it. */
export class Leavers implements Witness {
  readonly name = 'who leaves gives everything back';
  readonly #scene: Scene;
  readonly #sight: Sight;
  readonly #keys: KeysGiven;

  constructor(scene: Scene, sight: Sight, keys: KeysGiven) {
    this.#scene = scene;
    this.#sight = sight;
    this.#keys = keys;
  }

  async healed(): Promise<void> {
    for (const [event, given] of this.#keys.all) {
      const [origin, id] = event.split('/') as [MemberId, EventId];
      for (const { recipient } of given) {
        if (!this.#sight.at(origin).leaving.has(recipient)) continue;
        const entries = this.#sight.papers.entriesOf.get(event) ?? [];
        if (entries.some((one) => names(one, recipient, id))) continue;
        violate(this.#scene, 'S14', recipient, `leaves and is not told to delete ${event}`);
      }
    }
  }
}
