import type { Policy } from './agreement.js';
import {
  type Ground,
  type ReleaseDecision,
  type ReleaseQuestion,
  decideOn,
  findGround,
} from './decide-release.js';
import type { UnixMs } from './ids.js';
import { policyVersion } from './release-facts.js';

/** Classes of equal facts that are remembered; more are found anew. */
const CLASSES_MAX = 4_096;

/**
 * `decideRelease` under one policy, with its grounds remembered: events that differ in nothing that a rule looks at are
 * decided on the same ground, until the moment at which a rule, an agreement or a consent begins or ends.
 */
export class ReleaseRules {
  readonly #policy: Policy;
  readonly #version: string;
  readonly #moments: readonly UnixMs[];
  #grounds = new Map<string, Ground>();
  /** the grounds hold from then, and until before then */
  #fromMs = Infinity;
  #untilMs = -Infinity;

  constructor(policy: Policy) {
    this.#policy = policy;
    this.#version = policyVersion(policy);
    const spans = [
      ...policy.agreements,
      ...policy.agreements.flatMap(({ rules }) => rules),
      ...policy.consents,
    ];
    this.#moments = spans.flatMap(({ fromMs, untilMs }) => [fromMs, untilMs]);
  }

  decide(question: ReleaseQuestion, nowMs: UnixMs): ReleaseDecision {
    return decideOn(this.#groundOf(question, nowMs), question.header, nowMs);
  }

  /**
   * Names what a decision rests on beside the facts about the event: the policy, and which of its spans have begun or ended.
   * While it stays the same, only an event's own times change what is decided about it.
   */
  standing(nowMs: UnixMs): string {
    const since = Math.max(0, ...this.#moments.filter((moment) => moment <= nowMs));
    return `${this.#version}@${String(since)}`;
  }

  #groundOf(question: ReleaseQuestion, nowMs: UnixMs): Ground {
    // also a clock that was set back ends what is remembered
    if (nowMs < this.#fromMs || nowMs >= this.#untilMs) this.#forget(nowMs);
    const key = classOf(question);
    const known = this.#grounds.get(key);
    if (known) return known;
    if (this.#grounds.size >= CLASSES_MAX) this.#grounds.clear();
    const ground = findGround(question, this.#policy, nowMs);
    this.#grounds.set(key, ground);
    return ground;
  }

  #forget(nowMs: UnixMs): void {
    this.#grounds = new Map();
    this.#fromMs = nowMs;
    this.#untilMs = Math.min(Infinity, ...this.#moments.filter((moment) => moment > nowMs));
  }
}

/** Everything that `findGround` looks at; names hold neither blanks nor bars. */
function classOf({ header, audience, recipient }: ReleaseQuestion): string {
  const isMeant = audience.byAgreement || audience.members.includes(recipient);
  let text = `${header.origin}|${recipient}|${String(isMeant)}|${header.category}|`;
  for (const purpose of header.purposes) text += `${purpose} `;
  text += '|';
  for (const { name } of header.sections) text += `${name} `;
  return text;
}
