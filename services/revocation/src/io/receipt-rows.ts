import type { MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import type { ReceiptStage } from '@concordat/common/domain/records.js';
import {
  type Row,
  type Sqlite,
  bytesOf,
  numberOf,
  textOf,
} from '@concordat/common/io/store/sqlite.js';

export const RECEIPT_SCHEMA = `
CREATE TABLE IF NOT EXISTS receipt(
  holder TEXT NOT NULL, entry_number INTEGER NOT NULL, stage TEXT NOT NULL, bytes BLOB NOT NULL,
  at_ms INTEGER NOT NULL, PRIMARY KEY(holder, entry_number));
CREATE TABLE IF NOT EXISTS open_receipt(
  holder TEXT NOT NULL, entry_number INTEGER NOT NULL, bytes BLOB NOT NULL, at_ms INTEGER NOT NULL,
  PRIMARY KEY(holder, entry_number)) WITHOUT ROWID;
`;

export interface StoredReceipt {
  readonly stage: ReceiptStage;
  readonly bytes: Uint8Array;
  readonly atMs: number;
}

/** The first valid receipt of each stage for each entry: an open one, a final one, or both. */
export class ReceiptRows {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  open(holder: MemberId, entryNumber: number): StoredReceipt | undefined {
    const sql =
      "SELECT 'OPEN' AS stage, bytes, at_ms FROM open_receipt WHERE holder = ? AND entry_number = ?";
    return stored(this.#db.get(sql, holder, entryNumber));
  }

  final(holder: MemberId, entryNumber: number): StoredReceipt | undefined {
    const sql = 'SELECT stage, bytes, at_ms FROM receipt WHERE holder = ? AND entry_number = ?';
    return stored(this.#db.get(sql, holder, entryNumber));
  }

  /** The open one first. */
  all(holder: MemberId, entryNumber: number): StoredReceipt[] {
    return [this.open(holder, entryNumber), this.final(holder, entryNumber)].filter(
      (one) => one !== undefined,
    );
  }

  add(
    holder: MemberId,
    entryNumber: number,
    { stage, bytes }: { readonly stage: ReceiptStage; readonly bytes: Uint8Array },
    nowMs: UnixMs,
  ): void {
    if (stage === 'OPEN') {
      const sql = 'INSERT INTO open_receipt VALUES(?, ?, ?, ?)';
      this.#db.run(sql, holder, entryNumber, bytes, nowMs);
    } else {
      const sql = 'INSERT INTO receipt VALUES(?, ?, ?, ?, ?)';
      this.#db.run(sql, holder, entryNumber, stage, bytes, nowMs);
    }
  }
}

function stored(row: Row | undefined): StoredReceipt | undefined {
  if (!row) return undefined;
  const stage = textOf(row, 'stage') as ReceiptStage;
  return { stage, bytes: bytesOf(row, 'bytes'), atMs: numberOf(row, 'at_ms') };
}
