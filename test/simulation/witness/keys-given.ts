import { createHash } from 'node:crypto';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import type { LogRecord } from '@concordat/common/io/log-client.js';
import type { AnsweredCall } from '../world/connections.js';
import { type Scene, violate } from './scene.js';
import { type EventKey, keyOf } from './sight/holdings.js';
import { type Sealed, takes } from './sight/papers.js';
import type { Sight } from './sight/sight.js';
import type { Place, Witness } from './witness.js';

/** A key that was in an answer. */
export interface Given {
  readonly recipient: MemberId;
  readonly section: string;
}

/**
 * S4: a key leaves only after its ledger record is with the broker, and who was ever given one is in the seal record. S6: no
 * key leaves after the seal. S14: none goes to a member that leaves.
 */
export class KeysGiven implements Witness {
  readonly name = 'who is given a key is known, and who may not is given none';
  readonly #scene: Scene;
  readonly #sight: Sight;
  readonly #given = new Map<EventKey, Given[]>();
  /** digests of what the broker has of ledgers */
  readonly #recorded = new Set<string>();

  constructor(scene: Scene, sight: Sight) {
    this.#scene = scene;
    this.#sight = sight;
  }

  /** Every key that ever left, by its event. */
  get all(): ReadonlyMap<EventKey, readonly Given[]> {
    return this.#given;
  }

  appended({ topic, value }: LogRecord): void {
    if (topic.startsWith('ledger.')) this.#recorded.add(digestOf(value));
  }

  answered({ caller, callee, method, outcome, request, answer }: AnsweredCall): void {
    if (method !== 'KeyService.keyRelease' || outcome !== 'answered') return;
    const { statements } = request as concordat.node.v1.KeyReleaseRequest;
    const { answers, records } = answer as concordat.node.v1.KeyReleaseResponse;
    const origin = callee.member;
    const recipient = caller.member;
    const onLedger = records.map((record) => this.#recorded.has(digestOf(record)));
    for (const { statement, release, released } of answers) {
      const asked = statements[statement];
      if (!released || !asked) continue;
      const id = this.#sight.papers.releasesOf(origin, asked.statement)[release]?.id;
      if (id === undefined) continue;
      const event = keyOf(origin, id);
      if (!released.records.every((place) => onLedger[place] === true)) {
        violate(
          this.#scene,
          'S4',
          origin,
          `gives ${recipient} a key of ${event} that is on no ledger`,
        );
      }
      for (const { section } of released.keys) this.#give(origin, event, { recipient, section });
    }
  }

  committed({ process }: Place): void {
    if (process !== 'node') return;
    for (const sealed of this.#sight.commit.seals) this.#demandNamed(sealed);
  }

  async healed(): Promise<void> {
    for (const sealed of this.#sight.papers.seals) this.#demandNamed(sealed);
  }

  #give(origin: MemberId, event: EventKey, given: Given): void {
    const { recipient, section } = given;
    const now = this.#scene.step();
    const seal = this.#sight.papers
      .takenFrom(event, recipient, section)
      .find(({ step }) => step < now);
    if (seal) {
      const what = `${section} of ${event}, sealed in step ${String(seal.step)}`;
      violate(this.#scene, 'S6', origin, `gives ${recipient} the key of ${what}`);
    }
    const leftAt = this.#sight.at(origin).leaving.get(recipient);
    if (leftAt !== undefined && leftAt < now) {
      violate(this.#scene, 'S14', origin, `gives ${recipient}, which leaves, a key of ${event}`);
    }
    const list = this.#given.get(event) ?? [];
    this.#given.set(event, list);
    if (list.some((one) => one.recipient === recipient && one.section === section)) return;
    list.push(given);
  }

  #demandNamed({ record }: Sealed): void {
    const { origin, holders } = record;
    const named = new Map(holders.map(({ recipient, ids }) => [recipient, new Set<string>(ids)]));
    for (const id of record.ids) {
      for (const one of this.#given.get(keyOf(origin, id)) ?? []) {
        if (!takes(record, one) || named.get(one.recipient)?.has(id) === true) continue;
        const what = `${one.recipient} was given ${keyOf(origin, id)} and is not in its seal record`;
        violate(this.#scene, 'S4', origin, what);
      }
    }
  }
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('base64');
}
