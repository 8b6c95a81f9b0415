import { type EventId, eventIdOf, idBytes } from '@concordat/common/domain/ids.js';
import type { PurgeEntry } from '@concordat/common/domain/records.js';
import { kindOfStatement, verifyStatement } from '@concordat/common/domain/statement.js';
import { type Sqlite, bytesOf, numberOf, textOf } from '@concordat/common/io/store/sqlite.js';
import { DE } from '../../support/node-world.js';
import { type Told, ownNumber } from './origin-witness.js';
import { isInStore } from '../witness/in-store.js';
import type { RaceTemplate } from './template.js';

const PURGES = 'purge.un.de';
const RECEIPTS = 'receipts.de.un';

/** Sees every commit of the recipient: what is purged there from when on, and what is left when a receipt is written. */
export class RecipientWitness {
  readonly #template: RaceTemplate;
  readonly #entries: readonly PurgeEntry[];
  readonly #files: () => ReadonlyMap<string, Uint8Array>;
  readonly #told: Told;
  readonly #rows = new Map<EventId, string>();
  readonly #seen = new Set<EventId>();
  #applied = 0;
  /** entries that are answered */
  #answered = 0;
  /** of the chain that receipts stand on */
  #head = 0;
  /** whole events, sections: since which step */
  readonly purgedAt = new Map<EventId, number>();
  readonly narrowedAt = new Map<EventId, number>();
  /** keys in answers that are under way */
  readonly onTheWay = new Set<EventId>();

  /** @param entries of its purge ledger, in order; more may come */
  constructor(
    template: RaceTemplate,
    entries: readonly PurgeEntry[],
    files: () => ReadonlyMap<string, Uint8Array>,
    told: Told,
  ) {
    this.#template = template;
    this.#entries = entries;
    this.#files = files;
    this.#told = told;
  }

  get applied(): number {
    return this.#applied;
  }

  committed(store: Sqlite): void {
    if (store.file.endsWith('data.db')) this.#noteRows(store);
    if (!store.file.endsWith('state.db')) return;
    this.#noteEntries(store);
    this.#noteSealed(store);
    this.#noteReceipts(store);
  }

  #noteRows(store: Sqlite): void {
    this.#rows.clear();
    for (const row of store.all('SELECT id, state FROM event')) {
      const id = idIn(row);
      this.#rows.set(id, textOf(row, 'state'));
      this.#seen.add(id);
    }
  }

  #noteEntries(store: Sqlite): void {
    const row = store.get('SELECT number FROM followed WHERE chain = ?', PURGES);
    const applied = row ? numberOf(row, 'number') : 0;
    for (const { ids, sections } of this.#entries.slice(this.#applied, applied)) {
      for (const id of ids) {
        const at = sections.length === 0 ? this.purgedAt : this.narrowedAt;
        if (!this.purgedAt.has(id) && !at.has(id)) this.#noteMoment(id, sections.length > 0);
        if (!at.has(id)) at.set(id, this.#told.now());
      }
    }
    this.#applied = applied;
  }

  #noteMoment(id: EventId, isNarrow: boolean): void {
    const { reached } = this.#told;
    const row = this.#rows.get(id);
    if (!row && !this.#seen.has(id)) {
      reached(
        isNarrow
          ? 'a section is taken back before its event comes'
          : 'a purge comes before its event',
      );
    }
    if (isNarrow) return;
    if (row === 'readable') reached('a purge comes when the event is read');
    if (row !== 'waiting') return;
    reached(
      this.onTheWay.has(id)
        ? 'a purge comes while the answer with the key is under way'
        : 'a purge comes while the event waits for its key',
    );
  }

  /** What a seal in an answer told. */
  #noteSealed(store: Sqlite): void {
    for (const row of store.all('SELECT id FROM tombstone')) {
      const id = idIn(row);
      if (this.purgedAt.has(id)) continue;
      this.#told.reached('a recipient learns from a seal that an event is purged');
      this.purgedAt.set(id, this.#told.now());
    }
  }

  #noteReceipts(store: Sqlite): void {
    const number = ownNumber(store, RECEIPTS);
    if (number === this.#head) return;
    const rows = store.all(
      'SELECT value FROM kept WHERE topic = ? ORDER BY seq DESC LIMIT ?',
      RECEIPTS,
      number - this.#head,
    );
    this.#head = number;
    const { codec } = this.#template.schemas;
    const files = this.#files();
    for (const value of rows.map((row) => bytesOf(row, 'value'))) {
      const kind = kindOfStatement(codec, ['Receipt', 'MediaErased'], value);
      if (kind === 'MediaErased') this.#told.reached('the recipient destroys a key-encryption key');
      else this.#demandTrue(value, files);
    }
  }

  /** A receipt is committed: whatever happens next, its word must be true already. */
  #demandTrue(bytes: Uint8Array, files: ReadonlyMap<string, Uint8Array>): void {
    const { codec } = this.#template.schemas;
    const { keys } = this.#template.world.members;
    const read = verifyStatement(codec, keys, 'Receipt', bytes, { signer: DE });
    if (!read.ok) {
      this.#told.violated(read.error.message);
      return;
    }
    this.#answered += 1;
    const { entryNumber, outcomes } = read.value.value;
    const sections = this.#entries[entryNumber - 1]?.sections ?? [];
    for (const { id, outcome } of outcomes) {
      if (outcome !== 'DELETED' && outcome !== 'NOT_HELD') continue;
      this.demandGone(id, sections, files, `with its receipt ${outcome}`);
    }
  }

  demandGone(
    id: EventId,
    sections: readonly string[],
    files: ReadonlyMap<string, Uint8Array>,
    when: string,
  ): void {
    const { violated } = this.#told;
    if (sections.length === 0 && isInStore(files, 'vault', idBytes(id))) {
      violated(`the recipient has keys of ${id} ${when}`);
    }
    if (this.#hasCiphertext(id, sections, files)) {
      violated(`the recipient has ciphertext of ${id} ${when}`);
    }
  }

  /** What is still to come, in words; empty: nothing is. */
  unfinished(ids: readonly EventId[], receiptsSent: number): string {
    const entries = this.#entries.length;
    const left = [
      ...(this.#applied < entries ? [`${String(entries - this.#applied)} entries to apply`] : []),
      ...(this.#answered < entries
        ? [`${String(entries - this.#answered)} entries to answer`]
        : []),
      ...(receiptsSent < this.#head ? ['receipts to send'] : []),
      ...ids
        .filter((id) => !this.purgedAt.has(id) && this.#rows.get(id) !== 'readable')
        .map((id) => `${id} is ${this.#rows.get(id) ?? 'not here'}`),
    ];
    return left.join(', ');
  }

  /** What a start or the end of a race leaves. */
  demandAllGone(files: ReadonlyMap<string, Uint8Array>, when: string): void {
    for (const id of this.purgedAt.keys()) this.demandGone(id, [], files, when);
    for (const id of this.narrowedAt.keys()) this.demandGone(id, ['remarks'], files, when);
  }

  died(files: ReadonlyMap<string, Uint8Array>, receiptsSent: number): void {
    const { reached } = this.#told;
    const purged = [...this.purgedAt.keys()];
    const hasKey = (id: EventId): boolean => isInStore(files, 'vault', idBytes(id));
    if (purged.some(hasKey)) {
      reached('the recipient dies between a tombstone and the deletion of keys');
    } else if (purged.some((id) => this.#hasCiphertext(id, [], files))) {
      reached('the recipient dies between the deletion of keys and of ciphertexts');
    } else if (this.#applied > this.#answered) {
      reached('the recipient dies between the deletion and the receipt');
    }
    if (this.#head > receiptsSent) {
      reached('the recipient dies with a receipt committed and not sent');
    }
    const waiting = [...this.#rows].filter(([id, state]) => state === 'waiting' && hasKey(id));
    if (waiting.some(([id]) => !this.purgedAt.has(id))) {
      reached('the recipient dies between a key and its row');
    }
  }

  #hasCiphertext(
    id: EventId,
    sections: readonly string[],
    files: ReadonlyMap<string, Uint8Array>,
  ): boolean {
    const pieces = [...(this.#template.ciphertexts.get(id) ?? [])]
      .filter(([name]) => sections.length === 0 || sections.includes(name))
      .map(([, piece]) => piece);
    return pieces.some((piece) => isInStore(files, 'data', piece));
  }
}

function idIn(row: Parameters<typeof bytesOf>[0]): EventId {
  const id = eventIdOf(bytesOf(row, 'id'));
  if (!id.ok) throw new Error(id.error);
  return id.value;
}
