import {
  type EventId,
  type Hash,
  type OrderId,
  asUnixMs,
  idBytes,
  orderIdOf,
} from '@concordat/common/domain/ids.js';
import type { UnixMs } from '@concordat/common/domain/ids.js';
import { isWhole } from '@concordat/common/domain/purge-order.js';
import type { PublicationRow, PurgeOrder } from '@concordat/common/domain/records.js';
import {
  fromSortable,
  idAt,
  lookUp,
  numberAt,
  optionalIdAt,
  packIds,
  packNumbers,
  runs,
  sortable,
} from '@concordat/common/io/store/packed.js';
import { type Row, type Sqlite, bytesOf, numberOf } from '@concordat/common/io/store/sqlite.js';
import type { Standing } from '../domain/officer-order.js';
import type { Unordered } from '../domain/rule-orders.js';
import { eventIdIn, orderIdIn } from './stored-ids.js';

function unordered(row: Row): Unordered {
  const publishedAtMs = row['superseded_at_ms'];
  return {
    id: eventIdIn(row, 'id'),
    retainUntilMs: asUnixMs(fromSortable(bytesOf(row, 'retain_until'))),
    supersededBy:
      typeof publishedAtMs === 'number'
        ? { id: eventIdIn(row, 'superseded_by'), publishedAtMs: asUnixMs(publishedAtMs) }
        : null,
  };
}

const UNORDERED =
  'SELECT id, retain_until, superseded_by, superseded_at_ms FROM publication WHERE ordered_by IS NULL';

/** The own ledger as read, and what was published according to it. */
export class LedgerRows {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  addRecord(record: {
    readonly number: number;
    readonly block: Hash;
    readonly blockNumber: number;
    readonly bytes: Uint8Array;
  }): void {
    this.#db.run(
      'INSERT INTO ledger_record VALUES(?, ?, ?, ?)',
      record.number,
      record.block,
      record.blockNumber,
      record.bytes,
    );
  }

  /** One block's records, from its publication on, up to the ledger number `upTo`. */
  recordsOf(block: Hash, upTo: number): Uint8Array[] {
    return this.#db
      .all(
        'SELECT bytes FROM ledger_record WHERE block = ? AND number <= ? ORDER BY number',
        block,
        upTo,
      )
      .map((row) => bytesOf(row, 'bytes'));
  }

  /** Records after a ledger number, in order. */
  recordsAfter(
    number: number,
    limit: number,
  ): { readonly number: number; readonly block: Hash; readonly bytes: Uint8Array }[] {
    const sql =
      'SELECT number, block, bytes FROM ledger_record WHERE number > ? ORDER BY number LIMIT ?';
    return this.#db.all(sql, number, limit).map((row) => ({
      number: numberOf(row, 'number'),
      block: bytesOf(row, 'block') as Hash,
      bytes: bytesOf(row, 'bytes'),
    }));
  }

  /** The record by which a block is published. */
  publicationOf(block: Hash): Uint8Array | undefined {
    const sql = 'SELECT bytes FROM ledger_record WHERE block = ? ORDER BY number LIMIT 1';
    const row = this.#db.get(sql, block);
    return row && bytesOf(row, 'bytes');
  }

  /** The order that takes an event back from everybody. */
  orderedBy(id: EventId): OrderId | undefined {
    const row = this.#db.get('SELECT ordered_by FROM publication WHERE id = ?', idBytes(id));
    if (!row || row['ordered_by'] === null) return undefined;
    const order = orderIdOf(bytesOf(row, 'ordered_by'));
    return order.ok ? order.value : undefined;
  }

  /**
   * The publications of one block, leaf by leaf. Links supersessions both ways, so that the order in which two publications
   * arrive does not matter.
   *
   * @returns how many were not known
   */
  addPublications(
    { block, timeMs }: { readonly block: Hash; readonly timeMs: UnixMs },
    rows: readonly PublicationRow[],
  ): number {
    const placed = rows.map((row, leaf) => ({ ...row, leaf }));
    let added = 0;
    // rows that follow each other and are of one category go together
    for (const run of runs(placed, ({ category }) => category)) added += this.#addRun(block, run);
    for (const { id, supersedes } of rows) {
      if (supersedes !== null) this.#link(supersedes, { id, atMs: timeMs });
    }
    for (const { earlier, id } of this.#supersededBefore(rows)) {
      this.#link(id, { id: earlier, atMs: timeMs });
    }
    return added;
  }

  #addRun(block: Hash, run: readonly (PublicationRow & { readonly leaf: number })[]): number {
    return this.#db.run(
      `INSERT OR IGNORE INTO publication
       SELECT ${idAt(1)}, ?2, ?3 + nth.i, ?4, ${numberAt(5)}, ${optionalIdAt(6)}, NULL, NULL, NULL
       FROM nth WHERE nth.i < ?7`,
      packIds(run.map(({ id }) => id)),
      block,
      run[0]?.leaf ?? 0,
      run[0]?.category ?? '',
      packNumbers(run.map(({ retainUntilMs }) => retainUntilMs)),
      packIds(run.map(({ supersedes }) => supersedes)),
      run.length,
    );
  }

  /** The first one that supersedes an event stays. */
  #link(superseded: EventId, by: { readonly id: EventId; readonly atMs: UnixMs }): void {
    this.#db.run(
      'UPDATE publication SET superseded_by = ?, superseded_at_ms = ? WHERE id = ? AND superseded_by IS NULL',
      idBytes(by.id),
      by.atMs,
      idBytes(superseded),
    );
  }

  /** Those of these events whose successors came before them. */
  #supersededBefore(
    rows: readonly PublicationRow[],
  ): { readonly id: EventId; readonly earlier: EventId }[] {
    const sql = `SELECT nth.i, publication.id FROM nth JOIN publication ON supersedes = ${idAt(1)} WHERE nth.i < ?2`;
    const ids = rows.map(({ id }) => id);
    return lookUp(ids, (packed, count) => this.#db.all(sql, packed, count)).map(({ id, row }) => ({
      id,
      earlier: eventIdIn(row, 'id'),
    }));
  }

  publications(): number {
    return numberOf(this.#db.get('SELECT count(*) AS n FROM publication') ?? {}, 'n');
  }

  /** Not ordered yet, with a retention that is over by then. */
  countEnding(untilMs: number): number {
    const row = this.#db.get(
      'SELECT count(*) AS n FROM publication WHERE ordered_by IS NULL AND retain_until <= ?',
      sortable(untilMs),
    );
    return numberOf(row ?? {}, 'n');
  }

  /** Superseded, and no order says so yet. */
  superseded(limit: number): Unordered[] {
    return this.#db
      .all(`${UNORDERED} AND superseded_by IS NOT NULL ORDER BY superseded_by LIMIT ?`, limit)
      .map(unordered);
  }

  /** Past their retention, and no order says so yet. */
  retentionOver(nowMs: UnixMs, limit: number): Unordered[] {
    return this.#db
      .all(
        `${UNORDERED} AND retain_until <= ? ORDER BY retain_until LIMIT ?`,
        sortable(nowMs),
        limit,
      )
      .map(unordered);
  }

  standing(id: EventId): Standing {
    const row = this.#db.get('SELECT ordered_by FROM publication WHERE id = ?', idBytes(id));
    if (!row) return 'unknown';
    return row['ordered_by'] === null ? 'free' : 'ordered';
  }

  /** The order that takes it back. */
  orderOf(id: EventId): OrderId | undefined {
    const sql = 'SELECT ordered_by FROM publication WHERE id = ? AND ordered_by IS NOT NULL';
    const row = this.#db.get(sql, idBytes(id));
    return row && orderIdIn(row, 'ordered_by');
  }

  /** A narrower cover claims nothing: rules and other orders may still take its events back from everybody. */
  claim(order: PurgeOrder): void {
    if (!isWhole(order)) return;
    const { orderId, ids } = order;
    const by = idBytes(orderId);
    for (const id of ids) {
      this.#db.run('UPDATE publication SET ordered_by = ? WHERE id = ?', by, idBytes(id));
    }
  }

  /** The node refused the order: rules and other orders may take its events back again. */
  unclaim(order: OrderId): void {
    this.#db.run('UPDATE publication SET ordered_by = NULL WHERE ordered_by = ?', idBytes(order));
  }
}
