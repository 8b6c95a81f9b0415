import {
  type EventId,
  type Hash,
  type OrderId,
  asUnixMs,
  eventIdOf,
  idBytes,
} from '@concordat/common/domain/ids.js';
import type { UnixMs } from '@concordat/common/domain/ids.js';
import type { PublicationRow } from '@concordat/common/domain/records.js';
import { type Row, type Sqlite, bytesOf, numberOf } from '@concordat/common/io/store/sqlite.js';
import type { Standing } from '../domain/officer-order.js';
import type { Unordered } from '../domain/rule-orders.js';

function eventId(row: Row, column: string): EventId {
  const id = eventIdOf(bytesOf(row, column));
  if (!id.ok) throw new TypeError(`column ${column}: expected an event id`);
  return id.value;
}

function unordered(row: Row): Unordered {
  const publishedAtMs = row['superseded_at_ms'];
  return {
    id: eventId(row, 'id'),
    retainUntilMs: asUnixMs(numberOf(row, 'retain_until_ms')),
    supersededBy:
      typeof publishedAtMs === 'number'
        ? { id: eventId(row, 'superseded_by'), publishedAtMs: asUnixMs(publishedAtMs) }
        : null,
  };
}

const UNORDERED =
  'SELECT id, retain_until_ms, superseded_by, superseded_at_ms FROM publication WHERE ordered_by IS NULL';

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

  /** Links supersessions both ways, so that the order in which two publications arrive does not matter. */
  addPublication(
    {
      block,
      leaf,
      timeMs,
    }: { readonly block: Hash; readonly leaf: number; readonly timeMs: UnixMs },
    row: PublicationRow,
  ): 'added' | 'known' {
    const id = idBytes(row.id);
    const supersedes = row.supersedes === null ? null : idBytes(row.supersedes);
    const earlier = this.#db.get('SELECT id FROM publication WHERE supersedes = ? LIMIT 1', id);
    const added = this.#db.run(
      'INSERT OR IGNORE INTO publication VALUES(?, ?, ?, ?, ?, ?, ?, ?, NULL)',
      id,
      block,
      leaf,
      row.category,
      row.retainUntilMs,
      supersedes,
      earlier ? bytesOf(earlier, 'id') : null,
      earlier ? timeMs : null,
    );
    if (added === 1 && supersedes !== null) {
      this.#db.run(
        'UPDATE publication SET superseded_by = ?, superseded_at_ms = ? WHERE id = ? AND superseded_by IS NULL',
        id,
        timeMs,
        supersedes,
      );
    }
    return added === 1 ? 'added' : 'known';
  }

  publications(): number {
    return numberOf(this.#db.get('SELECT count(*) AS n FROM publication') ?? {}, 'n');
  }

  /** Not ordered yet, with a retention that is over by then. */
  countEnding(untilMs: number): number {
    const row = this.#db.get(
      'SELECT count(*) AS n FROM publication WHERE ordered_by IS NULL AND retain_until_ms <= ?',
      untilMs,
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
      .all(`${UNORDERED} AND retain_until_ms <= ? ORDER BY retain_until_ms LIMIT ?`, nowMs, limit)
      .map(unordered);
  }

  standing(id: EventId): Standing {
    const row = this.#db.get('SELECT ordered_by FROM publication WHERE id = ?', idBytes(id));
    if (!row) return 'unknown';
    return row['ordered_by'] === null ? 'free' : 'ordered';
  }

  claim(ids: readonly EventId[], order: OrderId): void {
    const by = idBytes(order);
    for (const id of ids) {
      this.#db.run('UPDATE publication SET ordered_by = ? WHERE id = ?', by, idBytes(id));
    }
  }

  /** The node refused the order: rules and other orders may take its events back again. */
  unclaim(order: OrderId): void {
    this.#db.run('UPDATE publication SET ordered_by = NULL WHERE ordered_by = ?', idBytes(order));
  }
}
