import {
  type EventId,
  type MemberId,
  type OrderId,
  type UnixMs,
  idBytes,
} from '@concordat/common/domain/ids.js';
import { idAt, idsIn, lookUp, packedByOrigin } from '@concordat/common/io/store/packed.js';
import {
  type Row,
  type Sqlite,
  bytesOf,
  numberOf,
  textOf,
} from '@concordat/common/io/store/sqlite.js';
import type { Cause } from '../../domain/purge/holding.js';
import { eventIdIn, orderIdIn } from './stored-ids.js';

/** `order_id` is empty for what ended here with its retention, until an order covers it too. */
export const TOMBSTONES_SCHEMA = `
CREATE TABLE IF NOT EXISTS tombstone(
  origin TEXT NOT NULL, id BLOB NOT NULL, order_id BLOB, at_ms INTEGER NOT NULL, ledger_number INTEGER,
  PRIMARY KEY(origin, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unfinished(
  origin TEXT NOT NULL, id BLOB NOT NULL, PRIMARY KEY(origin, id)) WITHOUT ROWID;
`;

/** What is deleted, for ever, and what of it is still to be deleted. */
export class Tombstones {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** Remembers for ever that these are gone; what they hold is deleted next, also after a crash. The first order stays. */
  bury(
    events: readonly { readonly origin: MemberId; readonly id: EventId }[],
    by: {
      /** null: their retention is over */
      readonly orderId: OrderId | null;
      readonly atMs: UnixMs;
      readonly ledgerNumber?: number;
    },
  ): void {
    for (const { origin, ids, count } of packedByOrigin(events)) {
      this.#db.run(
        `INSERT INTO tombstone SELECT ?1, ${idAt(2)}, ?4, ?5, ?6 FROM nth WHERE nth.i < ?3
         ON CONFLICT(origin, id) DO UPDATE SET order_id = coalesce(order_id, excluded.order_id)`,
        origin,
        ids,
        count,
        by.orderId === null ? null : idBytes(by.orderId),
        by.atMs,
        by.ledgerNumber ?? null,
      );
    }
    this.deleteAgain(events);
  }

  /** Those of these events that are gone. */
  buriedAmong(origin: MemberId, ids: readonly EventId[]): Set<EventId> {
    return new Set(this.#found(origin, ids).map(({ id }) => id));
  }

  /** Own events: the ledger numbers of the seals that took some of these. */
  sealNumbers(origin: MemberId, ids: readonly EventId[]): Map<EventId, number> {
    const numbers = new Map<EventId, number>();
    for (const { id, row } of this.#found(origin, ids)) {
      const number = row['ledger_number'];
      if (typeof number === 'number') numbers.set(id, number);
    }
    return numbers;
  }

  #found(origin: MemberId, ids: readonly EventId[]): { readonly id: EventId; readonly row: Row }[] {
    const sql = `SELECT nth.i, ledger_number FROM nth JOIN tombstone ON origin = ?1 AND id = ${idAt(2)} WHERE nth.i < ?3`;
    return lookUp(ids, (packed, count) => this.#db.all(sql, origin, packed, count));
  }

  isBuried(origin: MemberId, id: EventId): boolean {
    const row = this.#db.get(
      'SELECT 1 AS one FROM tombstone WHERE origin = ? AND id = ?',
      origin,
      idBytes(id),
    );
    return row !== undefined;
  }

  /** Who buried it; undefined: nobody did. */
  causeOf(origin: MemberId, id: EventId): Cause | undefined {
    const row = this.#db.get(
      'SELECT order_id FROM tombstone WHERE origin = ? AND id = ?',
      origin,
      idBytes(id),
    );
    return row && (row['order_id'] === null ? 'retention' : 'order');
  }

  /** The first order that took it back; undefined: none did. */
  orderOf(origin: MemberId, id: EventId): OrderId | undefined {
    const sql = 'SELECT order_id FROM tombstone WHERE origin = ? AND id = ?';
    const row = this.#db.get(sql, origin, idBytes(id));
    return row && row['order_id'] !== null ? orderIdIn(bytesOf(row, 'order_id')) : undefined;
  }

  /** With the order that took each; null: its retention is over. */
  unfinished(
    limit: number,
  ): { readonly origin: MemberId; readonly id: EventId; readonly orderId: OrderId | null }[] {
    return this.#db
      .all(
        'SELECT origin, id, order_id FROM unfinished LEFT JOIN tombstone USING(origin, id) LIMIT ?',
        limit,
      )
      .map((row) => ({
        origin: textOf(row, 'origin') as MemberId,
        id: eventIdIn(bytesOf(row, 'id')),
        orderId: row['order_id'] === null ? null : orderIdIn(bytesOf(row, 'order_id')),
      }));
  }

  /** Something of these came back, from an earlier copy of a store: they are deleted once more. */
  deleteAgain(events: readonly { readonly origin: MemberId; readonly id: EventId }[]): void {
    for (const { origin, ids, count } of packedByOrigin(events)) {
      this.#db.run(
        `INSERT OR IGNORE INTO unfinished SELECT ?1, ${idAt(2)} FROM nth WHERE nth.i < ?3`,
        origin,
        ids,
        count,
      );
    }
  }

  finish(events: readonly { readonly origin: MemberId; readonly id: EventId }[]): void {
    for (const { origin, ids, count } of packedByOrigin(events)) {
      this.#db.run(
        `DELETE FROM unfinished WHERE origin = ?1 AND id IN ${idsIn(2, 3)}`,
        origin,
        ids,
        count,
      );
    }
  }

  all(): { readonly origin: string; readonly id: Uint8Array }[] {
    return this.#db
      .all('SELECT origin, id FROM tombstone ORDER BY origin, id')
      .map((row) => ({ origin: textOf(row, 'origin'), id: bytesOf(row, 'id') }));
  }

  counts(): Record<string, number> {
    const rows = this.#db.all('SELECT origin, count(*) AS n FROM tombstone GROUP BY origin');
    return Object.fromEntries(rows.map((row) => [textOf(row, 'origin'), numberOf(row, 'n')]));
  }
}
