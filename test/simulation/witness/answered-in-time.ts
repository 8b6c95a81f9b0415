import type { MemberId } from '@concordat/common/domain/ids.js';
import { type Sqlite, numberOf, textOf } from '@concordat/common/io/store/sqlite.js';
import { type Scene, violate } from './scene.js';
import { keyOf } from './sight/holdings.js';
import type { Entered } from './sight/papers.js';
import type { Sight } from './sight/sight.js';
import type { Place, Witness } from './witness.js';

const GONE_MS = 30_000;
const ANSWERED_MS = 60_000;

/** Orders one event back that others hold. @returns false when there is none */
export type OrderOne = () => Promise<boolean>;

/**
 * L1: when nothing fails, holders hold nothing 30 seconds after an entry. L2: and their receipt is at the origin within 60.
 * L3: every entry is answered, or its silence is named. L6: and no gap stays in anybody's purges.
 */
export class AnsweredInTime implements Witness {
  readonly name = 'every entry is answered in time';
  readonly #scene: Scene;
  readonly #sight: Sight;
  readonly #order: OrderOne;
  readonly #sleep: (ms: number) => Promise<void>;
  /** by `un de 7`: entries that are not answered, and whose silence is not signed */
  readonly #open = new Map<string, Entered>();
  /** member and chain */
  readonly #gaps = new Set<string>();

  constructor(
    scene: Scene,
    sight: Sight,
    can: { readonly order: OrderOne; readonly sleep: (ms: number) => Promise<void> },
  ) {
    this.#scene = scene;
    this.#sight = sight;
    this.#order = can.order;
    this.#sleep = can.sleep;
  }

  committed({ member, process }: Place, store: Sqlite): void {
    const { changes, entries, isOpening } = this.#sight.commit;
    if (process === 'node') {
      if (isOpening) this.#forgetGaps(member, store);
      for (const { table, verb, row } of changes) {
        if (table !== 'gap') continue;
        const chain = textOf(row, 'chain');
        if (verb === 'deleted') this.#gaps.delete(`${member} ${chain}`);
        else if (chain.startsWith('purge.')) this.#gaps.add(`${member} ${chain}`);
      }
    }
    if (process !== 'revocation') return;
    for (const one of entries) this.#open.set(placeOf(member, one), one);
    for (const { table, verb, row } of changes) {
      if (verb !== 'set') continue;
      const isReceipt = table === 'receipt' || table === 'open_receipt';
      if (isReceipt) this.#settle(member, textOf(row, 'holder'), numberOf(row, 'entry_number'));
      const isNotice = table === 'purge_entry' && row['notice'] !== null;
      if (isNotice) this.#settle(member, textOf(row, 'recipient'), numberOf(row, 'number'));
    }
  }

  unfinished(): string | undefined {
    const [open] = this.#open.keys();
    if (open !== undefined) return `L3: no answer to entry ${open}`;
    const [gap] = this.#gaps;
    return gap === undefined ? undefined : `L6: a gap stays, ${gap}`;
  }

  async healed(): Promise<void> {
    const before = this.#sight.papers.entries.size;
    if (!(await this.#order())) return;
    await this.#sleep(GONE_MS);
    const fresh = [...this.#sight.papers.entries.values()].slice(before);
    if (fresh.length === 0)
      violate(this.#scene, 'L1', 'an origin', 'has ordered and enters nothing');
    for (const { entry } of fresh) {
      if (entry.sections.length > 0) continue;
      const { rows, keys } = this.#sight.at(entry.recipient);
      for (const event of entry.ids.map((id) => keyOf(entry.origin, id))) {
        if (!rows.has(event) && !keys.has(event)) continue;
        violate(this.#scene, 'L1', entry.recipient, `holds ${event} 30 seconds after its entry`);
      }
    }
    await this.#sleep(ANSWERED_MS - GONE_MS);
    for (const [place, { entry }] of this.#open) {
      violate(this.#scene, 'L2', entry.recipient, `has not answered entry ${place} in 60 seconds`);
    }
  }

  /** Another file may stand there: its gaps are told anew. */
  #forgetGaps(member: MemberId, { file }: Sqlite): void {
    if (!file.endsWith('state.db')) return;
    for (const place of this.#gaps) {
      if (place.startsWith(`${member} `)) this.#gaps.delete(place);
    }
  }

  #settle(origin: MemberId, holder: string, number: number): void {
    this.#open.delete(`${origin} ${holder} ${String(number)}`);
  }
}

function placeOf(origin: MemberId, { entry: { recipient, number } }: Entered): string {
  return `${origin} ${recipient} ${String(number)}`;
}
