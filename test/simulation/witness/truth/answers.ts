import { isDeepStrictEqual } from 'node:util';
import type { Json } from '@concordat/common/domain/strict-json.js';
import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { AnsweredCall } from '../../world/connections.js';
import { type Scene, violate } from '../scene.js';
import { type EventKey, keyOf } from '../sight/holdings.js';
import type { Sight } from '../sight/sight.js';
import type { Witness } from '../witness.js';
import type { Truth } from './truth.js';

type Published = concordat.node.v1.PublishRequest;
type Content = Readonly<Record<string, Json>>;

/** The first promise: whatever is read was allowed to who reads it, section by section, and is what was published. */
export class Answers implements Witness {
  readonly name = 'answers are what was published, and allowed';
  readonly #scene: Scene;
  readonly #sight: Sight;
  readonly #truth: Truth;
  readonly #contents = new Map<EventKey, Uint8Array>();

  constructor(scene: Scene, sight: Sight, truth: Truth) {
    this.#scene = scene;
    this.#sight = sight;
    this.#truth = truth;
  }

  stepped(): void {
    this.#truth.look();
  }

  answered({ callee, method, outcome, request, answer }: AnsweredCall): void {
    if (method === 'NationalService.publish') this.#note(callee.member, [request as Published]);
    if (method === 'NationalService.publishStream') {
      const parts = request as readonly concordat.node.v1.PublishStreamRequest[];
      for (const { events } of parts) this.#note(callee.member, events);
    }
    if (outcome !== 'answered') return;
    if (method === 'OperatorService.askOnward') {
      const { origin, eventId, recipient } = request as concordat.node.v1.AskOnwardRequest;
      this.#truth.letHave(recipient as MemberId, keyOf(origin, eventId));
    }
    if (method !== 'NationalService.read') return;
    this.#compare(callee.member, answer as concordat.node.v1.ReadResponse);
  }

  #note(origin: MemberId, requests: readonly Published[]): void {
    for (const { eventId, contentJson } of requests) {
      const event = keyOf(origin, eventId);
      // what comes again under the same id changes nothing
      if (!this.#contents.has(event)) this.#contents.set(event, contentJson);
    }
  }

  #compare(member: MemberId, { origin, eventId, sections }: concordat.node.v1.ReadResponse): void {
    const event = keyOf(origin, eventId);
    const published = this.#sight.papers.published.get(event);
    const json = this.#contents.get(event);
    if (!published || !json) return; // read by its own member before the broker has it
    const allowed = this.#truth.everAllowed(published, member);
    const content = JSON.parse(Buffer.from(json).toString('utf8')) as Content;
    for (const { name, contentJson } of sections) {
      if (!allowed.has(name)) {
        violate(
          this.#scene,
          'S11',
          member,
          `reads ${name} of ${event}, which no agreement gives it`,
        );
      }
      const read = JSON.parse(Buffer.from(contentJson).toString('utf8')) as Content;
      if (isSomeOf(read, content)) continue;
      violate(this.#scene, 'S11', member, `reads ${name} of ${event}, not as it was published`);
    }
  }
}

/** A section is some of the content's fields; one that its national system left out has the schema's empty value. */
function isSomeOf(read: Content, content: Content): boolean {
  return Object.entries(read).every(([field, value]) => {
    const written = content[field];
    if (written !== undefined) return isDeepStrictEqual(value, written);
    return value === null || (Array.isArray(value) && value.length === 0);
  });
}
