import { type Sqlite, textOf } from '@concordat/common/io/store/sqlite.js';
import type { World } from '../world/world.js';
import type { Place, Witness } from './witness.js';

/** S13, for purge entries: whoever has read a number twice, signed both times, has the second one as evidence. */
export class Evidence implements Witness {
  readonly name = 'equivocation is evidence';
  readonly #world: World;
  readonly #states = new Map<string, Sqlite>();

  constructor(world: World) {
    this.#world = world;
  }

  committed({ member, process }: Place, store: Sqlite): void {
    if (process === 'node' && store.file.endsWith('/state.db')) this.#states.set(member, store);
  }

  died({ member, process }: Place): void {
    if (process === 'node') this.#states.delete(member);
  }

  async healed(): Promise<void> {
    for (const { recipient, topic, offset } of this.#world.signedTwice) {
      const state = this.#states.get(recipient);
      if (!state || this.#world.disturbed.has(topic)) continue;
      if (this.#world.disturbed.has(`${recipient} node`)) continue;
      const source = `${topic}/0/${String(offset)}`;
      const row = state.get('SELECT code FROM quarantine WHERE source = ?', source);
      if (row && textOf(row, 'code') === 'EQUIVOCATION') continue;
      const what = `${source} is signed twice, and nobody has it as evidence`;
      this.#world.violated(`S13 ${recipient}: ${what}`);
    }
  }
}
