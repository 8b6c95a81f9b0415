import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import type { AnsweredCall } from '../world/connections.js';
import { type Scene, violate } from './scene.js';
import { type Holdings, eventIn, keyOf } from './sight/holdings.js';
import type { Sight } from './sight/sight.js';
import type { Place, Witness } from './witness.js';

/** S1: what is purged is never readable again. S7: nor there when a node serves again. S8: and its tombstone stays. */
export class StaysPurged implements Witness {
  readonly name = 'what is purged stays purged';
  readonly #scene: Scene;
  readonly #sight: Sight;

  constructor(scene: Scene, sight: Sight) {
    this.#scene = scene;
    this.#sight = sight;
  }

  committed({ member, process }: Place): void {
    if (process !== 'node' || this.#sight.commit.isOpening) return;
    const at = this.#sight.at(member);
    for (const { table, verb, row } of this.#sight.commit.changes) {
      if (table === 'tombstone' && verb === 'deleted') {
        violate(this.#scene, 'S8', member, `the tombstone of ${eventIn(row)} is gone`);
      }
      if ((table !== 'event_key' && table !== 'event') || verb !== 'set') continue;
      const event = eventIn(row);
      if (!at.buried.has(event) || at.held.has(event)) continue;
      const what = table === 'event' ? 'a row' : 'keys';
      violate(this.#scene, 'S1', member, `takes in ${what} of ${event}, which is purged`);
    }
  }

  started({ member, process }: Place): void {
    if (process === 'node') this.#demandGone(this.#sight.at(member), 'S7');
  }

  answered({ caller, callee, method, outcome, request }: AnsweredCall): void {
    if (method !== 'NationalService.read' || outcome !== 'answered') return;
    const { origin, eventId } = request as concordat.node.v1.ReadRequest;
    const { member } = callee;
    const burial = this.#sight.at(member).buried.get(keyOf(origin, eventId));
    if (!burial || burial.step >= this.#scene.step()) return;
    const what = `${caller.member} reads ${keyOf(origin, eventId)}, purged in step ${String(burial.step)}`;
    violate(this.#scene, 'S1', member, what);
  }

  async healed(): Promise<void> {
    for (const at of this.#sight.nodes) this.#demandGone(at, 'S1');
  }

  #demandGone(at: Holdings, invariant: 'S1' | 'S7'): void {
    for (const event of at.buried.keys()) {
      if (at.held.has(event)) continue;
      if (at.keys.has(event)) violate(this.#scene, invariant, at.member, `has keys of ${event}`);
      if (at.rows.has(event)) violate(this.#scene, invariant, at.member, `has a row of ${event}`);
    }
    for (const [event, sections] of at.narrowed) {
      for (const name of at.keys.get(event) ?? []) {
        if (!sections.has(name) || at.held.has(event)) continue;
        violate(this.#scene, invariant, at.member, `has the key of ${name} of ${event}`);
      }
    }
  }
}
