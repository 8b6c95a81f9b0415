import { type Hash, type MemberId, type OrderId, idBytes } from '@concordat/common/domain/ids.js';
import { isOpen } from '@concordat/common/domain/purge-order.js';
import type { PurgeOutcome } from '@concordat/common/domain/records.js';
import {
  type Row,
  type Sqlite,
  bytesOf,
  numberOf,
  textOf,
} from '@concordat/common/io/store/sqlite.js';
import { outcomeNow } from '../../domain/purge/answer.js';
import type { EventOutcome } from '../../domain/purge/entry.js';
import { IS_CHILD_OPEN } from './child-duties.js';
import { eventIdIn, orderIdIn } from './stored-ids.js';

export const PURGE_ENTRIES_SCHEMA = `
CREATE TABLE IF NOT EXISTS purge_entry(
  chain TEXT NOT NULL, epoch INTEGER NOT NULL, number INTEGER NOT NULL, origin TEXT NOT NULL, order_id BLOB NOT NULL,
  hash BLOB NOT NULL, receipt BLOB, PRIMARY KEY(chain, epoch, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS purge_outcome(
  chain TEXT NOT NULL, epoch INTEGER NOT NULL, number INTEGER NOT NULL, position INTEGER NOT NULL, id BLOB NOT NULL,
  outcome TEXT NOT NULL, PRIMARY KEY(chain, epoch, number, position)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS purge_entry_unanswered ON purge_entry(chain, epoch, number) WHERE receipt IS NULL;
CREATE TABLE IF NOT EXISTS open_receipt(
  chain TEXT NOT NULL, epoch INTEGER NOT NULL, number INTEGER NOT NULL, receipt BLOB NOT NULL, hash BLOB NOT NULL,
  PRIMARY KEY(chain, epoch, number)) WITHOUT ROWID;
`;

/** Is something of the event still with a system of this member? */
const IS_OWED = 'SELECT 1 FROM owed WHERE owed.origin = entry.origin AND owed.id = outcome.id';
/** Does the law keep it? */
const IS_HELD = `SELECT 1 FROM legal_hold AS hold
  WHERE hold.origin = entry.origin AND hold.id = outcome.id AND hold.released_at_ms IS NULL`;
const OF_ENTRY =
  'outcome.chain = entry.chain AND outcome.epoch = entry.epoch AND outcome.number = entry.number';

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

  add(entry: PendingEntry, outcomes: readonly EventOutcome[]): boolean {
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

  /**
   * Entries for which a receipt may be written, in order: those without any, and those with an open one of which nothing is
   * open any more.
   */
  pending(limit: number): PendingEntry[] {
    return this.#db
      .all(
        `SELECT * FROM purge_entry AS entry WHERE receipt IS NULL AND (
           NOT EXISTS (SELECT 1 FROM open_receipt AS outcome WHERE ${OF_ENTRY})
           OR NOT EXISTS (SELECT 1 FROM purge_outcome AS outcome WHERE ${OF_ENTRY}
             AND (EXISTS (${IS_OWED}) OR EXISTS (${IS_HELD}) OR EXISTS (${IS_CHILD_OPEN}))))
         ORDER BY chain, epoch, number LIMIT ?`,
        limit,
      )
      .map(entryIn);
  }

  /** All entries without a final receipt, in order. */
  unanswered(): PendingEntry[] {
    return this.#db
      .all('SELECT * FROM purge_entry WHERE receipt IS NULL ORDER BY chain, epoch, number')
      .map(entryIn);
  }

  /** As they stand now: what was judged when the entry came, or why that is not done yet. */
  outcomes(entry: PendingEntry): EventOutcome[] {
    return this.#db
      .all(
        `SELECT outcome.id, outcome, EXISTS (${IS_HELD}) AS held, EXISTS (${IS_OWED}) AS owed,
           EXISTS (${IS_CHILD_OPEN}) AS child_open
         FROM purge_entry AS entry JOIN purge_outcome AS outcome ON ${OF_ENTRY}
         WHERE entry.chain = ? AND entry.epoch = ? AND entry.number = ? ORDER BY position`,
        entry.chain,
        entry.epoch,
        entry.number,
      )
      .map((row) => ({
        id: eventIdIn(bytesOf(row, 'id')),
        outcome: outcomeNow({
          judged: textOf(row, 'outcome') as PurgeOutcome,
          isHeldByLaw: row['held'] === 1,
          isOwed: row['owed'] === 1,
          isChildOpen: row['child_open'] === 1,
        }),
      }));
  }

  /** The hash of the open receipt for this entry; null: there is none. */
  opened({ chain, epoch, number }: PendingEntry): Hash | null {
    const row = this.#db.get(
      'SELECT hash FROM open_receipt WHERE chain = ? AND epoch = ? AND number = ?',
      chain,
      epoch,
      number,
    );
    return row ? (bytesOf(row, 'hash') as Hash) : null;
  }

  /** What an open receipt says; the final one will say DELETED of what it calls open. */
  setOpenReceipt(
    { chain, epoch, number }: PendingEntry,
    receipt: { readonly bytes: Uint8Array; readonly hash: Hash },
    outcomes: readonly EventOutcome[],
  ): void {
    this.#db.run(
      'INSERT OR IGNORE INTO open_receipt VALUES(?, ?, ?, ?, ?)',
      chain,
      epoch,
      number,
      receipt.bytes,
      receipt.hash,
    );
    for (const { id, outcome } of outcomes) {
      if (!isOpen(outcome)) continue;
      this.#db.run(
        "UPDATE purge_outcome SET outcome = 'DELETED' WHERE chain = ? AND epoch = ? AND number = ? AND id = ?",
        chain,
        epoch,
        number,
        idBytes(id),
      );
    }
  }

  /** The final one. */
  setReceipt(entry: PendingEntry, receipt: Uint8Array): void {
    this.#db.run(
      'UPDATE purge_entry SET receipt = ? WHERE chain = ? AND epoch = ? AND number = ? AND receipt IS NULL',
      receipt,
      entry.chain,
      entry.epoch,
      entry.number,
    );
  }

  /** Of each entry the open one first. */
  receipts(): Uint8Array[] {
    return this.#db
      .all(
        `SELECT chain, epoch, number, 0 AS stage, receipt FROM open_receipt
         UNION ALL
         SELECT chain, epoch, number, 1 AS stage, receipt FROM purge_entry WHERE receipt IS NOT NULL
         ORDER BY chain, epoch, number, stage`,
      )
      .map((row) => bytesOf(row, 'receipt'));
  }

  /** Entries whose receipt is open. */
  countOpen(): number {
    const row = this.#db.get(
      `SELECT count(*) AS n FROM purge_entry AS outcome JOIN open_receipt AS entry ON ${OF_ENTRY}
       WHERE outcome.receipt IS NULL`,
    );
    return numberOf(row ?? {}, 'n');
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
