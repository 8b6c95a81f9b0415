import type { Policy } from '@concordat/common/domain/agreement.js';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import type { Scene } from '../scene.js';
import type { EventKey } from '../sight/holdings.js';
import { type Published, names } from '../sight/papers.js';
import type { Sight } from '../sight/sight.js';
import { NO_RIGHTS, type Rights, rightsOf } from './rights.js';

/** Sections of an event at one member: what it must be able to read, and what it may; all others it must not. */
export interface Verdict {
  readonly must: ReadonlySet<string>;
  readonly may: ReadonlySet<string>;
}

const NOTHING: Verdict = { must: new Set(), may: new Set() };

interface Era {
  readonly policy: Policy;
  readonly fromMs: number;
}

/**
 * Who must and who may read what, kept beside the system from what was agreed, published, sealed and left, and from the time.
 * Nothing here asks how things came about: any order of the same makes the same truth (S9).
 */
export class Truth {
  readonly #scene: Scene;
  readonly #sight: Sight;
  readonly #eras: Era[] = [];
  /** who was let have an event although it was not meant for it */
  readonly #onward = new Set<string>();
  readonly #rights = new Map<Policy, Map<string, Rights>>();
  /** nothing can be demanded of these any more: stores that would be needed are gone */
  readonly damaged = new Set<EventKey>();

  constructor(scene: Scene, sight: Sight) {
    this.#scene = scene;
    this.#sight = sight;
  }

  /** Agreements may have changed. */
  look(): void {
    const policy = this.#scene.policy();
    if (this.#eras.at(-1)?.policy === policy) return;
    this.#eras.push({ policy, fromMs: this.#scene.nowMs() });
  }

  letHave(recipient: MemberId, event: EventKey): void {
    this.#onward.add(`${recipient} ${event}`);
  }

  /** What any agreements since its publication gave this member. */
  everAllowed(published: Published, member: MemberId): ReadonlySet<string> {
    if (member === published.header.origin) return new Set(sectionsOf(published));
    return new Set(this.#everRights(published, member).flatMap(({ sections }) => [...sections]));
  }

  /** Once everything has come to its end. */
  verdict(published: Published, member: MemberId): Verdict {
    const { header, key } = published;
    const isOwn = member === header.origin;
    if (this.#isOver(published)) return NOTHING;
    if (!isOwn && this.#sight.at(header.origin).leaving.has(member)) return NOTHING;
    const nowMs = this.#scene.nowMs();
    const rights = isOwn ? [] : this.#everRights(published, member);
    const allowed = isOwn ? new Set(sectionsOf(published)) : this.everAllowed(published, member);
    const terms = rights.map((one) => termOf(published, one));
    if (!isOwn && !terms.some((term) => term > nowMs)) return NOTHING;
    const left = [...allowed].filter((name) => !this.#isTaken(published, member, name));
    const may = new Set(left);
    if (this.#isDoubtful(published)) return { must: new Set(), may };
    const always = terms.every((term) => term > nowMs);
    const isOnward = this.#onward.has(`${member} ${key}`);
    const must = left.filter(
      (name) => isOwn || (always && !isOnward && rights.every((one) => one.sections.has(name))),
    );
    return { must: new Set(must), may };
  }

  #isTaken({ key }: Published, member: MemberId, section: string): boolean {
    return this.#sight.papers.takenFrom(key, member, section).length > 0;
  }

  /** Its term is over, something newer replaces it, or what it was made from was taken from who made it. */
  #isOver({ key, header, parents }: Published): boolean {
    const isEnded = header.retainUntilMs <= this.#scene.nowMs();
    if (isEnded || this.#sight.isSuperseded(key)) return true;
    const entries = (parent: EventKey) => this.#sight.papers.entriesOf.get(parent) ?? [];
    return parents.some((parent) => {
      const [, id] = parent.split('/') as [string, EventId];
      return entries(parent).some((one) => names(one, header.origin, id));
    });
  }

  /** What it was made from may or may not have been taken back from who made it; its keys were lost where it comes from. */
  #isDoubtful({ key, parents }: Published): boolean {
    const { papers, lostAtOrigin } = this.#sight;
    const isLost = lostAtOrigin.has(key) || this.damaged.has(key);
    return isLost || parents.some((parent) => papers.sealsOf.has(parent));
  }

  /** Under each of the agreements files since its publication. */
  #everRights(published: Published, member: MemberId): Rights[] {
    const { audience, key } = published;
    const isFor = audience.byAgreement || audience.members.includes(member);
    if (!isFor && !this.#onward.has(`${member} ${key}`)) return [NO_RIGHTS];
    return this.#erasOf(published).map(({ policy }) =>
      this.#rightsUnder(policy, published, member),
    );
  }

  #erasOf({ atMs }: Published): Era[] {
    return this.#eras.filter((_era, n) => (this.#eras[n + 1]?.fromMs ?? Infinity) > atMs);
  }

  #rightsUnder(policy: Policy, published: Published, member: MemberId): Rights {
    const known = this.#rights.get(policy) ?? new Map<string, Rights>();
    this.#rights.set(policy, known);
    const { origin, category, purposes } = published.header;
    const sections = sectionsOf(published);
    const kind = [origin, member, category, ...purposes, '', ...sections].join(' ');
    const found =
      known.get(kind) ?? rightsOf(policy, { origin, category, purposes, sections }, member);
    known.set(kind, found);
    return found;
  }
}

function termOf({ header }: Published, { retentionMs }: Rights): number {
  return Math.min(header.retainUntilMs, header.collectedAtMs + retentionMs);
}

export function sectionsOf({ header }: Pick<Published, 'header'>): string[] {
  return header.sections.map(({ name }) => name);
}
