import {
  type EventId,
  type Hash,
  type MemberId,
  type OrderId,
  idBytes,
} from '@concordat/common/domain/ids.js';
import { type Row, type Sqlite, bytesOf, textOf } from '@concordat/common/io/store/sqlite.js';
import { eventIdIn, orderIdIn } from './stored-ids.js';

/** `bytes` is empty until the certificate is fetched: so long its parent's order is not closed. */
export const CHILD_SCHEMA = `
CREATE TABLE IF NOT EXISTS child_certificate(
  parent_order BLOB NOT NULL, holder TEXT NOT NULL, hash BLOB NOT NULL, order_id BLOB NOT NULL, bytes BLOB,
  PRIMARY KEY(parent_order, holder, hash)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS child_certificate_wanted ON child_certificate(holder) WHERE bytes IS NULL;
CREATE TABLE IF NOT EXISTS child_named(
  parent_order BLOB NOT NULL, holder TEXT NOT NULL, hash BLOB NOT NULL, child BLOB NOT NULL,
  PRIMARY KEY(parent_order, holder, hash, child)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS child_waited_for(
  order_id BLOB NOT NULL, origin TEXT NOT NULL, PRIMARY KEY(order_id, origin)) WITHOUT ROWID;
`;

/** A holder's certificate that its receipts name, for the purge of what it derived. */
export interface WantedCertificate {
  /** the own order that it belongs to */
  readonly parentOrder: OrderId;
  readonly holder: MemberId;
  readonly hash: Hash;
  /** the holder's order */
  readonly orderId: OrderId;
}

/** Certificates of derived events: those of holders that belong to our orders, and who waits for ours. */
export class ChildRows {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  want({ parentOrder, holder, hash, orderId }: WantedCertificate, child: EventId): void {
    const place = [idBytes(parentOrder), holder, hash] as const;
    this.#db.run(
      'INSERT OR IGNORE INTO child_certificate VALUES(?, ?, ?, ?, NULL)',
      ...place,
      idBytes(orderId),
    );
    this.#db.run('INSERT OR IGNORE INTO child_named VALUES(?, ?, ?, ?)', ...place, idBytes(child));
  }

  /** @param limit of each holder, so that one who does not answer keeps nobody else waiting */
  wanted(limit: number): WantedCertificate[] {
    const holders = this.#db.all(
      'SELECT DISTINCT holder FROM child_certificate WHERE bytes IS NULL ORDER BY holder',
    );
    const sql = 'SELECT * FROM child_certificate WHERE bytes IS NULL AND holder = ? LIMIT ?';
    return holders.flatMap((row) => this.#db.all(sql, textOf(row, 'holder'), limit).map(wantedIn));
  }

  /** The events that the holder's receipts name this certificate for. */
  childrenOf({ parentOrder, holder, hash }: WantedCertificate): EventId[] {
    return this.#db
      .all(
        'SELECT child FROM child_named WHERE parent_order = ? AND holder = ? AND hash = ?',
        idBytes(parentOrder),
        holder,
        hash,
      )
      .map((row) => eventIdIn(row, 'child'));
  }

  /** @param bytes signed certificate */
  keep({ parentOrder, holder, hash }: WantedCertificate, bytes: Uint8Array): void {
    this.#db.run(
      'UPDATE child_certificate SET bytes = ? WHERE parent_order = ? AND holder = ? AND hash = ?',
      bytes,
      idBytes(parentOrder),
      holder,
      hash,
    );
  }

  /** Signed certificates of this holder, as far as they are here. */
  certificates(parentOrder: OrderId, holder: MemberId): Uint8Array[] {
    return this.#db
      .all(
        `SELECT bytes FROM child_certificate WHERE parent_order = ? AND holder = ? AND bytes IS NOT NULL
         ORDER BY hash`,
        idBytes(parentOrder),
        holder,
      )
      .map((row) => bytesOf(row, 'bytes'));
  }

  /** These members may fetch the certificate of this order. */
  allow(orderId: OrderId, origins: readonly MemberId[]): void {
    for (const origin of origins) {
      const sql = 'INSERT OR IGNORE INTO child_waited_for VALUES(?, ?)';
      this.#db.run(sql, idBytes(orderId), origin);
    }
  }

  isWaitedFor(orderId: OrderId, origin: MemberId): boolean {
    const sql = 'SELECT 1 AS one FROM child_waited_for WHERE order_id = ? AND origin = ?';
    return this.#db.get(sql, idBytes(orderId), origin) !== undefined;
  }
}

function wantedIn(row: Row): WantedCertificate {
  return {
    parentOrder: orderIdIn(row, 'parent_order'),
    holder: textOf(row, 'holder') as MemberId,
    hash: bytesOf(row, 'hash') as Hash,
    orderId: orderIdIn(row, 'order_id'),
  };
}
