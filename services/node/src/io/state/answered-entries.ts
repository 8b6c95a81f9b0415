import type { Hash, MemberId } from '@concordat/common/domain/ids.js';
import { type Sqlite, bytesOf } from '@concordat/common/io/store/sqlite.js';

export const ANSWERED_ENTRIES_SCHEMA = `
CREATE TABLE IF NOT EXISTS answered_entry(
  origin TEXT NOT NULL, entry_hash BLOB NOT NULL, number INTEGER NOT NULL, receipt BLOB NOT NULL,
  PRIMARY KEY(origin, entry_hash, number)) WITHOUT ROWID;
`;

/**
 * Receipts that this node is known to have signed, read back from its own topics after the state was lost: the entry that
 * one answers is answered with these very bytes, and never anew (S13).
 */
export class AnsweredEntries {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** @param number of the receipt in its chain */
  add(origin: MemberId, entryHash: Hash, number: number, receipt: Uint8Array): void {
    this.#db.run(
      'INSERT OR IGNORE INTO answered_entry VALUES(?, ?, ?, ?)',
      origin,
      entryHash,
      number,
      receipt,
    );
  }

  /** Receipts for this entry, in the order in which they were signed. */
  of(origin: MemberId, entryHash: Hash): Uint8Array[] {
    const sql =
      'SELECT receipt FROM answered_entry WHERE origin = ? AND entry_hash = ? ORDER BY number';
    return this.#db.all(sql, origin, entryHash).map((row) => bytesOf(row, 'receipt'));
  }

  /** They stand with their entry now. */
  drop(origin: MemberId, entryHash: Hash): void {
    this.#db.run(
      'DELETE FROM answered_entry WHERE origin = ? AND entry_hash = ?',
      origin,
      entryHash,
    );
  }
}
