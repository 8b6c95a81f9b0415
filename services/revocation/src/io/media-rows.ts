import { type MemberId, type OrderId, type UnixMs, idBytes } from '@concordat/common/domain/ids.js';
import type { MediaErased } from '@concordat/common/domain/records.js';
import {
  type Row,
  type Sqlite,
  bytesOf,
  numberOf,
  textOf,
} from '@concordat/common/io/store/sqlite.js';

/** `unerased`: a receipt said _deleted_, and no statement since says that the keys are destroyed which wrapped these. */
export const MEDIA_SCHEMA = `
CREATE TABLE IF NOT EXISTS unerased(
  holder TEXT NOT NULL, entry_number INTEGER NOT NULL, order_id BLOB NOT NULL, since_ms INTEGER NOT NULL,
  PRIMARY KEY(holder, entry_number)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS unerased_order ON unerased(order_id, holder);
CREATE TABLE IF NOT EXISTS media_statement(
  holder TEXT NOT NULL, number INTEGER NOT NULL, level TEXT NOT NULL, bytes BLOB NOT NULL, at_ms INTEGER NOT NULL,
  PRIMARY KEY(holder, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS media_erased(
  order_id BLOB NOT NULL, holder TEXT NOT NULL, number INTEGER NOT NULL,
  PRIMARY KEY(order_id, holder, number)) WITHOUT ROWID;
`;

/** What a holder signed about its media, for one order. */
export interface StoredErasure {
  readonly holder: MemberId;
  /** of the statement, in the holder's chain */
  readonly number: number;
  readonly level: MediaErased['level'];
  readonly bytes: Uint8Array;
  readonly atMs: number;
}

/** What holders said of the keys that had wrapped purged ones, and whose word is missing. */
export class MediaRows {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** For the commit that takes a receipt which says _deleted_. */
  expect(
    holder: MemberId,
    { entryNumber, orderId }: { readonly entryNumber: number; readonly orderId: OrderId },
    nowMs: UnixMs,
  ): void {
    const sql = 'INSERT OR IGNORE INTO unerased VALUES(?, ?, ?, ?)';
    this.#db.run(sql, holder, entryNumber, idBytes(orderId), nowMs);
  }

  /** It speaks of every receipt before it in its chain. */
  add(
    erased: Pick<MediaErased, 'holder' | 'number' | 'level' | 'orders'>,
    bytes: Uint8Array,
    nowMs: UnixMs,
  ): void {
    const { holder, number, level, orders } = erased;
    const sql = 'INSERT INTO media_statement VALUES(?, ?, ?, ?, ?)';
    this.#db.run(sql, holder, number, level, bytes, nowMs);
    for (const id of orders.map(idBytes)) {
      this.#db.run('INSERT OR IGNORE INTO media_erased VALUES(?, ?, ?)', id, holder, number);
      this.#db.run('DELETE FROM unerased WHERE order_id = ? AND holder = ?', id, holder);
    }
  }

  /** What holders said about this order, in the order of their chains. */
  of(orderId: OrderId): StoredErasure[] {
    const sql = `SELECT holder, number, level, bytes, at_ms FROM media_erased JOIN media_statement USING(holder, number)
      WHERE order_id = ? ORDER BY holder, number`;
    return this.#db.all(sql, idBytes(orderId)).map(stored);
  }

  /** Since when each holder's word about this order is missing. */
  missing(orderId: OrderId): Map<string, number> {
    const sql =
      'SELECT holder, min(since_ms) AS since_ms FROM unerased WHERE order_id = ? GROUP BY holder';
    const rows = this.#db.all(sql, idBytes(orderId));
    return new Map(rows.map((row) => [textOf(row, 'holder'), numberOf(row, 'since_ms')]));
  }

  /** Entries whose keys were deleted before then, and nothing said of their media. */
  countMissingSince(atMs: number): number {
    const row = this.#db.get('SELECT count(*) AS n FROM unerased WHERE since_ms < ?', atMs);
    return numberOf(row ?? {}, 'n');
  }
}

function stored(row: Row): StoredErasure {
  return {
    holder: textOf(row, 'holder') as MemberId,
    number: numberOf(row, 'number'),
    level: textOf(row, 'level') as MediaErased['level'],
    bytes: bytesOf(row, 'bytes'),
    atMs: numberOf(row, 'at_ms'),
  };
}
