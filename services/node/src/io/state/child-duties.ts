import {
  type EventId,
  type Hash,
  type MemberId,
  type OrderId,
  type UnixMs,
  idBytes,
} from '@concordat/common/domain/ids.js';
import type { ReceiptChild } from '@concordat/common/domain/records.js';
import {
  type Row,
  type Sqlite,
  bytesOf,
  numberOf,
  textOf,
} from '@concordat/common/io/store/sqlite.js';
import type { Descent } from '../derivations.js';
import { eventIdIn, orderIdIn } from './stored-ids.js';

/** `made`: published by the time of the entry; what was not never will be. */
export const CHILD_DUTIES_SCHEMA = `
CREATE TABLE IF NOT EXISTS child_duty(
  seq INTEGER PRIMARY KEY, chain TEXT NOT NULL, epoch INTEGER NOT NULL, number INTEGER NOT NULL,
  parent BLOB NOT NULL, child BLOB NOT NULL, made INTEGER NOT NULL, time_ms INTEGER NOT NULL,
  UNIQUE(chain, epoch, number, parent, child));
CREATE INDEX IF NOT EXISTS child_duty_child ON child_duty(child);
CREATE TABLE IF NOT EXISTS child_purged(
  child BLOB PRIMARY KEY, order_id BLOB NOT NULL, certificate_hash BLOB NOT NULL) WITHOUT ROWID;
`;

/** SQL: is an event that comes from `outcome.id` still to be purged because of `entry`? */
export const IS_CHILD_OPEN = `SELECT 1 FROM child_duty AS duty
  WHERE duty.chain = entry.chain AND duty.epoch = entry.epoch AND duty.number = entry.number
    AND duty.parent = outcome.id AND duty.made = 1
    AND NOT EXISTS (SELECT 1 FROM child_purged WHERE child_purged.child = duty.child)`;

/** An own event that has to go, and the first entry that obliges to it. */
export interface Duty {
  readonly child: EventId;
  readonly origin: MemberId;
  readonly orderId: OrderId;
  readonly entryHash: Hash;
  readonly entryTimeMs: UnixMs;
  /** events of that entry */
  readonly parents: readonly EventId[];
  /** everybody who waits for the child's certificate */
  readonly origins: readonly MemberId[];
}

/** Of a purge entry. */
interface Place {
  readonly chain: string;
  readonly epoch: number;
  readonly number: number;
}

/** Own events whose parents other members took back, entry by entry, and what came of them. */
export class ChildDuties {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  add(
    { chain, epoch, number }: Place,
    entryTimeMs: UnixMs,
    descents: readonly (Descent & { readonly isMade: boolean })[],
  ): void {
    for (const { parent, child, isMade } of descents) {
      this.#db.run(
        'INSERT OR IGNORE INTO child_duty VALUES(NULL, ?, ?, ?, ?, ?, ?, ?)',
        chain,
        epoch,
        number,
        idBytes(parent),
        idBytes(child),
        isMade ? 1 : 0,
        entryTimeMs,
      );
    }
  }

  /** Has an event been taken back from which this one was, or may be, derived? */
  isOwed(child: EventId): boolean {
    const sql = 'SELECT 1 AS one FROM child_duty WHERE child = ? LIMIT 1';
    return this.#db.get(sql, idBytes(child)) !== undefined;
  }

  /** What the entry's receipts say of own events. */
  childrenOf(self: MemberId, { chain, epoch, number }: Place): ReceiptChild[] {
    return this.#db
      .all(
        `SELECT parent, duty.child AS child, order_id, certificate_hash
         FROM child_duty AS duty LEFT JOIN child_purged ON child_purged.child = duty.child
         WHERE chain = ? AND epoch = ? AND number = ? ORDER BY parent, duty.child`,
        chain,
        epoch,
        number,
      )
      .map((row) => ({
        parent: eventIdIn(bytesOf(row, 'parent')),
        origin: self,
        id: eventIdIn(bytesOf(row, 'child')),
        orderId: row['order_id'] === null ? null : orderIdIn(bytesOf(row, 'order_id')),
        certificateHash:
          row['certificate_hash'] === null ? null : (bytesOf(row, 'certificate_hash') as Hash),
      }));
  }

  /** Children that are not shown to be purged, the longest open first. */
  open(limit: number): Duty[] {
    const children = this.#db
      .all(
        `SELECT duty.child AS child, min(duty.seq) AS seq FROM child_duty AS duty JOIN purge_entry AS entry USING(chain, epoch, number)
         WHERE made = 1 AND entry.receipt IS NULL AND duty.child NOT IN (SELECT child FROM child_purged)
         GROUP BY duty.child ORDER BY seq LIMIT ?`,
        limit,
      )
      .map((row) => bytesOf(row, 'child'));
    return children.flatMap((child) => this.#duty(child) ?? []);
  }

  #duty(child: Uint8Array): Duty | undefined {
    const rows = this.#db.all(
      `SELECT duty.*, entry.origin AS origin, entry.order_id AS order_id, entry.hash AS hash
       FROM child_duty AS duty JOIN purge_entry AS entry USING(chain, epoch, number)
       WHERE child = ? AND made = 1 ORDER BY seq`,
      child,
    );
    const [first] = rows;
    if (!first) return undefined;
    const entryHash = bytesOf(first, 'hash') as Hash;
    return {
      child: eventIdIn(child),
      origin: memberIn(first),
      orderId: orderIdIn(bytesOf(first, 'order_id')),
      entryHash,
      entryTimeMs: numberOf(first, 'time_ms') as UnixMs,
      parents: rows
        .filter((row) => Buffer.compare(bytesOf(row, 'hash'), entryHash) === 0)
        .map((row) => eventIdIn(bytesOf(row, 'parent'))),
      origins: [...new Set(rows.map(memberIn))],
    };
  }

  /** Events of this entry that oblige to the purge of this child. */
  parentsIn(
    { origin, orderId, entryHash }: Pick<Duty, 'origin' | 'orderId' | 'entryHash'>,
    child: EventId,
  ): EventId[] {
    return this.#db
      .all(
        `SELECT parent FROM child_duty JOIN purge_entry AS entry USING(chain, epoch, number)
         WHERE child = ? AND made = 1 AND entry.hash = ? AND entry.origin = ? AND entry.order_id = ?`,
        idBytes(child),
        entryHash,
        origin,
        idBytes(orderId),
      )
      .map((row) => eventIdIn(bytesOf(row, 'parent')));
  }

  /** Its certificate is complete; the first one stays. */
  close(child: EventId, orderId: OrderId, certificateHash: Hash): void {
    const sql = 'INSERT OR IGNORE INTO child_purged VALUES(?, ?, ?)';
    this.#db.run(sql, idBytes(child), idBytes(orderId), certificateHash);
  }
}

function memberIn(row: Row): MemberId {
  return textOf(row, 'origin') as MemberId;
}
