import {
  type EventId,
  type Hash,
  type MemberId,
  type OrderId,
  idBytes,
} from '@concordat/common/domain/ids.js';
import type { PurgeOutcome } from '@concordat/common/domain/records.js';
import {
  type Row,
  type Sqlite,
  bytesOf,
  numberOf,
  textOf,
} from '@concordat/common/io/store/sqlite.js';
import { eventIdIn, orderIdIn } from './stored-ids.js';

export const PURGE_ENTRIES_SCHEMA = `
CREATE TABLE IF NOT EXISTS purge_entry(
  chain TEXT NOT NULL, epoch INTEGER NOT NULL, number INTEGER NOT NULL, origin TEXT NOT NULL, order_id BLOB NOT NULL,
  hash BLOB NOT NULL, receipt BLOB, PRIMARY KEY(chain, epoch, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS purge_outcome(
  chain TEXT NOT NULL, epoch INTEGER NOT NULL, number INTEGER NOT NULL, position INTEGER NOT NULL, id BLOB NOT NULL,
  outcome TEXT NOT NULL, PRIMARY KEY(chain, epoch, number, position)) WITHOUT ROWID;
`;

export interface PendingEntry {
  readonly chain: string;
  readonly epoch: number;
  readonly number: number;
  readonly origin: MemberId;
  readonly orderId: OrderId;
  readonly hash: Hash;
}

/** Purge entries of other members with their outcomes, and the receipts that answer them. */
export class PurgeEntries {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  add(
    entry: PendingEntry,
    outcomes: readonly { readonly id: EventId; readonly outcome: PurgeOutcome }[],
  ): boolean {
    const added = this.#db.run(
      'INSERT OR IGNORE INTO purge_entry VALUES(?, ?, ?, ?, ?, ?, NULL)',
      entry.chain,
      entry.epoch,
      entry.number,
      entry.origin,
      idBytes(entry.orderId),
      entry.hash,
    );
    if (added === 0) return false;
    for (const [position, { id, outcome }] of outcomes.entries()) {
      this.#db.run(
        'INSERT INTO purge_outcome VALUES(?, ?, ?, ?, ?, ?)',
        entry.chain,
        entry.epoch,
        entry.number,
        position,
        idBytes(id),
        outcome,
      );
    }
    return true;
  }

  /** Entries whose receipt may be written and is not yet, in order: no system owes an answer for any of their ids. */
  pending(limit: number): PendingEntry[] {
    return this.#db
      .all(
        `SELECT * FROM purge_entry AS entry WHERE receipt IS NULL AND NOT EXISTS (
           SELECT 1 FROM owed CROSS JOIN purge_outcome AS outcome
           ON outcome.id = owed.id AND outcome.chain = entry.chain AND outcome.epoch = entry.epoch
             AND outcome.number = entry.number
           WHERE owed.origin = entry.origin)
         ORDER BY chain, epoch, number LIMIT ?`,
        limit,
      )
      .map(entryIn);
  }

  /** All entries without a receipt, in order, also those that wait for a system. */
  unanswered(): PendingEntry[] {
    return this.#db
      .all('SELECT * FROM purge_entry WHERE receipt IS NULL ORDER BY chain, epoch, number')
      .map(entryIn);
  }

  outcomes(entry: PendingEntry): { readonly id: EventId; readonly outcome: PurgeOutcome }[] {
    return this.#db
      .all(
        'SELECT id, outcome FROM purge_outcome WHERE chain = ? AND epoch = ? AND number = ? ORDER BY position',
        entry.chain,
        entry.epoch,
        entry.number,
      )
      .map((row) => ({
        id: eventIdIn(bytesOf(row, 'id')),
        outcome: textOf(row, 'outcome') as PurgeOutcome,
      }));
  }

  setReceipt(entry: PendingEntry, receipt: Uint8Array): void {
    this.#db.run(
      'UPDATE purge_entry SET receipt = ? WHERE chain = ? AND epoch = ? AND number = ? AND receipt IS NULL',
      receipt,
      entry.chain,
      entry.epoch,
      entry.number,
    );
  }

  receipts(): Uint8Array[] {
    return this.#db
      .all(
        'SELECT receipt FROM purge_entry WHERE receipt IS NOT NULL ORDER BY chain, epoch, number',
      )
      .map((row) => bytesOf(row, 'receipt'));
  }

  countReceipts(): number {
    const row = this.#db.get('SELECT count(*) AS n FROM purge_entry WHERE receipt IS NOT NULL');
    return numberOf(row ?? {}, 'n');
  }
}

function entryIn(row: Row): PendingEntry {
  return {
    chain: textOf(row, 'chain'),
    epoch: numberOf(row, 'epoch'),
    number: numberOf(row, 'number'),
    origin: textOf(row, 'origin') as MemberId,
    orderId: orderIdIn(bytesOf(row, 'order_id')),
    hash: bytesOf(row, 'hash') as Hash,
  };
}
