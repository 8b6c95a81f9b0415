import type { MemberId } from '@concordat/common/domain/ids.js';
import { type Scene, violate } from '../scene.js';
import type { Published } from '../sight/papers.js';
import type { Sight } from '../sight/sight.js';
import type { Witness } from '../witness.js';
import type { Truth } from './truth.js';

/** Reads an event as a national system. @returns the names of its sections, or the code of the refusal */
export type ReadIt = (member: MemberId, event: Published) => Promise<readonly string[] | string>;

/**
 * S9, S11: whatever the order in which things came, at the end every member reads what it must and nothing that it must not:
 * looked up in the rows of all, and asked for by reading some.
 */
export class AtTheEnd implements Witness {
  readonly name = 'the end is the truth';
  readonly #scene: Scene;
  readonly #sight: Sight;
  readonly #truth: Truth;
  readonly #members: readonly MemberId[];
  readonly #read: { readonly it: ReadIt; readonly isWanted: () => boolean };

  constructor(
    scene: Scene,
    sight: Sight,
    truth: Truth,
    asked: {
      readonly members: readonly MemberId[];
      readonly it: ReadIt;
      readonly isWanted: () => boolean;
    },
  ) {
    this.#scene = scene;
    this.#sight = sight;
    this.#truth = truth;
    this.#members = asked.members;
    this.#read = asked;
  }

  unfinished(): string | undefined {
    for (const { member, published } of this.#all()) {
      const { must } = this.#truth.verdict(published, member);
      const readable = this.#readable(member, published);
      const missing = [...must].find((name) => !readable.has(name));
      if (missing !== undefined) return `${member} cannot read ${missing} of ${published.key}`;
    }
    return undefined;
  }

  async healed(): Promise<void> {
    for (const { member, published } of this.#all()) {
      const verdict = this.#truth.verdict(published, member);
      this.#compare(member, published, this.#readable(member, published), 'holds');
      if (!this.#read.isWanted()) continue;
      const came = await this.#read.it(member, published);
      const names = typeof came === 'string' ? [] : came;
      const code = typeof came === 'string' ? ` (${came})` : '';
      this.#compare(member, published, new Set(names), `reads${code}`);
      if (verdict.may.size === 0 && names.length > 0) {
        violate(this.#scene, 'S1', member, `reads ${published.key}, which is over`);
      }
    }
  }

  *#all(): Generator<{ readonly member: MemberId; readonly published: Published }> {
    for (const published of this.#sight.papers.published.values()) {
      for (const member of this.#members) yield { member, published };
    }
  }

  /** By the rows of its stores; what is only lent counts as there. */
  #readable(member: MemberId, published: Published): ReadonlySet<string> {
    const { rows, keys, buried, narrowed } = this.#sight.at(member);
    const { key } = published;
    const row = rows.get(key);
    if (!row || buried.has(key) || !READABLE.has(row.state)) return new Set();
    if ((row.deleteByMs ?? Infinity) <= this.#scene.nowMs()) return new Set();
    const lent = (): Iterable<string> => this.#truth.everAllowed(published, member);
    const names = [...(row.state === 'leased' ? lent() : (keys.get(key) ?? []))];
    return new Set(names.filter((name) => narrowed.get(key)?.has(name) !== true));
  }

  #compare(member: MemberId, published: Published, names: ReadonlySet<string>, what: string): void {
    const { must, may } = this.#truth.verdict(published, member);
    const missing = [...must].filter((name) => !names.has(name));
    const tooMuch = [...names].filter((name) => !may.has(name));
    const has = [...names].join(' ') || 'nothing';
    if (missing.length > 0) {
      const text = `${what} ${has} of ${published.key}: ${missing.join(' ')} is missing`;
      violate(this.#scene, 'S11', member, text);
    }
    if (tooMuch.length > 0) {
      const text = `${what} ${has} of ${published.key}: ${tooMuch.join(' ')} must not be there`;
      violate(this.#scene, 'S9', member, text);
    }
  }
}

const READABLE: ReadonlySet<string> = new Set(['published', 'readable', 'leased']);
