import type { MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import type { ReceiptStage } from '@concordat/common/domain/records.js';
import { type Sqlite, bytesOf, numberOf, textOf } from '@concordat/common/io/store/sqlite.js';

export interface StoredReceipt {
  readonly stage: ReceiptStage;
  readonly bytes: Uint8Array;
  readonly atMs: number;
}

/** The first valid receipt for each entry; both of its stages are final. */
export class ReceiptRows {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  find(holder: MemberId, entryNumber: number): StoredReceipt | undefined {
    const row = this.#db.get(
      'SELECT stage, bytes, at_ms FROM receipt WHERE holder = ? AND entry_number = ?',
      holder,
      entryNumber,
    );
    if (!row) return undefined;
    const stage = textOf(row, 'stage') === 'DELETED' ? 'DELETED' : 'NOT_HELD';
    return { stage, bytes: bytesOf(row, 'bytes'), atMs: numberOf(row, 'at_ms') };
  }

  add(
    holder: MemberId,
    entryNumber: number,
    receipt: { readonly stage: ReceiptStage; readonly bytes: Uint8Array },
    nowMs: UnixMs,
  ): void {
    this.#db.run(
      'INSERT INTO receipt VALUES(?, ?, ?, ?, ?)',
      holder,
      entryNumber,
      receipt.stage,
      receipt.bytes,
      nowMs,
    );
  }
}
