import { type Hash, type OrderId, idBytes } from '@concordat/common/domain/ids.js';
import { type Sqlite, bytesOf, numberOf } from '@concordat/common/io/store/sqlite.js';

export const SEAL_TABLE_SCHEMA = `
CREATE TABLE IF NOT EXISTS seal(
  order_id BLOB PRIMARY KEY, order_hash BLOB NOT NULL, seal_record BLOB NOT NULL, evidence BLOB NOT NULL,
  ledger_seq INTEGER NOT NULL) WITHOUT ROWID;
`;

export interface StoredSeal {
  readonly orderHash: Hash;
  readonly sealRecord: Uint8Array;
  readonly evidence: Uint8Array;
  /** outbox row of the last ledger record that belongs to it */
  readonly ledgerSeq: number;
}

/** The answers to orders: the same order gets the same bytes. */
export class SealTable {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  add(orderId: OrderId, seal: StoredSeal): void {
    this.#db.run(
      'INSERT INTO seal VALUES(?, ?, ?, ?, ?)',
      idBytes(orderId),
      seal.orderHash,
      seal.sealRecord,
      seal.evidence,
      seal.ledgerSeq,
    );
  }

  find(orderId: OrderId): StoredSeal | undefined {
    const row = this.#db.get('SELECT * FROM seal WHERE order_id = ?', idBytes(orderId));
    return (
      row && {
        orderHash: bytesOf(row, 'order_hash') as Hash,
        sealRecord: bytesOf(row, 'seal_record'),
        evidence: bytesOf(row, 'evidence'),
        ledgerSeq: numberOf(row, 'ledger_seq'),
      }
    );
  }
}
