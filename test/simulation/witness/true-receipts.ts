import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bytesKey } from '@concordat/common/domain/bytes.js';
import { type MemberId, idBytes } from '@concordat/common/domain/ids.js';
import type { Receipt } from '@concordat/common/domain/records.js';
import type { Sqlite } from '@concordat/common/io/store/sqlite.js';
import { isInStore } from './in-store.js';
import { type Scene, violate } from './scene.js';
import { type EventKey, keyOf } from './sight/holdings.js';
import { type Sight, receiptsIn } from './sight/sight.js';
import type { Place, Witness } from './witness.js';

/** Of so many receipts one has the node's files searched, byte by byte: that takes as long as a thousand looks at rows. */
const SEARCHED_ONE_IN = 12;

/**
 * S2: with the commit of a receipt that says gone, nothing of its cover is there any more, nor at a copy system. S10: what
 * was never held is remembered as well.
 */
export class TrueReceipts implements Witness {
  readonly name = 'receipts are true';
  readonly #scene: Scene;
  readonly #sight: Sight;
  /** a node that lost its state takes over what it had answered before: that was looked at then */
  readonly #known = new Set<string>();

  constructor(scene: Scene, sight: Sight) {
    this.#scene = scene;
    this.#sight = sight;
  }

  committed({ member, process }: Place, { file }: Sqlite): void {
    if (process !== 'node' || this.#sight.commit.isOpening) return;
    for (const value of receiptsIn(this.#sight.commit)) {
      const receipt = this.#sight.papers.receipt(member, value);
      if (!receipt || this.#known.has(bytesKey(receipt.hash))) continue;
      this.#known.add(bytesKey(receipt.hash));
      this.#look(member, receipt.value, file);
    }
  }

  #look(member: MemberId, receipt: Receipt, file: string): void {
    const { entry } = this.#sight.papers.entryOf(receipt) ?? {};
    if (!entry) {
      violate(this.#scene, 'S3', member, `answers an entry of ${receipt.origin} that nobody wrote`);
      return;
    }
    const isSearched = this.#known.size % SEARCHED_ONE_IN === 0;
    const files = isSearched ? filesBeside(file) : undefined;
    for (const { id, outcome } of receipt.outcomes) {
      const event = keyOf(receipt.origin, id);
      this.#demandRemembered(member, event, entry.sections);
      if (outcome !== 'DELETED' && outcome !== 'NOT_HELD') continue;
      const left = [
        ...this.#leftInRows(member, event, entry.sections),
        ...(files ? this.#leftInFiles(files, event, entry.sections) : []),
      ];
      for (const what of left) {
        violate(this.#scene, 'S2', member, `answers ${outcome} for ${event} and has ${what}`);
      }
    }
  }

  #demandRemembered(member: MemberId, event: EventKey, sections: readonly string[]): void {
    const { buried, narrowed } = this.#sight.at(member);
    const isRemembered =
      buried.has(event) ||
      (sections.length > 0 && sections.every((n) => narrowed.get(event)?.has(n)));
    if (isRemembered) return;
    violate(this.#scene, 'S10', member, `answers for ${event} and has no tombstone of it`);
  }

  #leftInRows(member: MemberId, event: EventKey, sections: readonly string[]): string[] {
    const at = this.#sight.at(member);
    const keys = at.keys.get(event) ?? [];
    if (sections.length > 0) {
      return keys.some((name) => sections.includes(name)) ? ['a key of what is taken'] : [];
    }
    return [
      ...(keys.length > 0 ? ['its keys'] : []),
      ...(at.rows.has(event) ? ['its row'] : []),
      ...(at.owed.has(event) ? ['a copy system that has not acknowledged'] : []),
    ];
  }

  #leftInFiles(
    files: ReadonlyMap<string, Uint8Array>,
    event: EventKey,
    sections: readonly string[],
  ): string[] {
    const published = this.#sight.papers.published.get(event);
    if (!published) return [];
    const pieces = [...published.pieces].filter(
      ([name]) => sections.length === 0 || sections.includes(name),
    );
    const isKeyThere =
      sections.length === 0 && isInStore(files, 'vault', idBytes(published.header.id));
    const isPieceThere = pieces.some(([, piece]) => isInStore(files, 'data', piece));
    return [
      ...(isKeyThere ? ['its wrapped keys in a file'] : []),
      ...(isPieceThere ? ['its ciphertext in a file'] : []),
    ];
  }
}

const SEARCHED = ['data.db', 'data.db-wal', 'vault.db', 'vault.db-wal'];

/** What stands on the disk in this moment. */
function filesBeside(file: string): Map<string, Uint8Array> {
  const dir = dirname(file);
  const found = SEARCHED.filter((name) => existsSync(join(dir, name)));
  return new Map(found.map((name) => [name, readFileSync(join(dir, name))]));
}
