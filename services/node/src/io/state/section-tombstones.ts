import {
  type EventId,
  type MemberId,
  type OrderId,
  type UnixMs,
  idBytes,
} from '@concordat/common/domain/ids.js';
import { idAt, lookUp } from '@concordat/common/io/store/packed.js';
import { type Row, type Sqlite, bytesOf, textOf } from '@concordat/common/io/store/sqlite.js';
import type { EventKey } from '../data-store.js';
import { eventIdIn, orderIdIn } from './stored-ids.js';

/**
 * `left_event`: what is left of it is still to be deleted (`unfinished` 1), or still to be told to subscribers, once every
 * copy system has acknowledged the withdrawal.
 */
export const SECTION_TOMBSTONES_SCHEMA = `
CREATE TABLE IF NOT EXISTS section_tombstone(
  origin TEXT NOT NULL, id BLOB NOT NULL, section TEXT NOT NULL, order_id BLOB NOT NULL, at_ms INTEGER NOT NULL,
  PRIMARY KEY(origin, id, section)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS left_event(
  origin TEXT NOT NULL, id BLOB NOT NULL, unfinished INTEGER NOT NULL, PRIMARY KEY(origin, id)) WITHOUT ROWID;
`;

/** Sections of others' events that are taken back for ever, while the rest of the event stays. */
export class SectionTombstones {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** The first order stays. What they hold is deleted next, also after a crash. */
  bury(
    origin: MemberId,
    ids: readonly EventId[],
    sections: readonly string[],
    by: { readonly orderId: OrderId; readonly atMs: UnixMs },
  ): void {
    for (const id of ids) {
      for (const section of sections) {
        this.#db.run(
          'INSERT OR IGNORE INTO section_tombstone VALUES(?, ?, ?, ?, ?)',
          ...[origin, idBytes(id), section, idBytes(by.orderId), by.atMs],
        );
      }
    }
    this.deleteAgain(ids.map((id) => ({ origin, id })));
  }

  /** Of each of these events the sections that are taken back; events without any are not named. */
  among(origin: MemberId, ids: readonly EventId[]): Map<EventId, Set<string>> {
    const sql = `SELECT nth.i, section FROM nth CROSS JOIN section_tombstone ON origin = ?1 AND id = ${idAt(2)}
      WHERE nth.i < ?3`;
    const found = new Map<EventId, Set<string>>();
    for (const { id, row } of lookUp(ids, (packed, count) =>
      this.#db.all(sql, origin, packed, count),
    )) {
      found.set(id, (found.get(id) ?? new Set()).add(textOf(row, 'section')));
    }
    return found;
  }

  of(origin: MemberId, id: EventId): ReadonlySet<string> {
    return this.among(origin, [id]).get(id) ?? new Set();
  }

  /** The orders that took sections of this event. */
  ordersOf(origin: MemberId, id: EventId): Set<OrderId> {
    const sql = 'SELECT DISTINCT order_id FROM section_tombstone WHERE origin = ? AND id = ?';
    const rows = this.#db.all(sql, origin, idBytes(id));
    return new Set(rows.map((row) => orderIdIn(bytesOf(row, 'order_id'))));
  }

  deleteAgain(events: readonly EventKey[]): void {
    for (const { origin, id } of events) {
      this.#db.run('INSERT OR REPLACE INTO left_event VALUES(?, ?, 1)', origin, idBytes(id));
    }
  }

  unfinished(limit: number): EventKey[] {
    return this.#db
      .all('SELECT origin, id FROM left_event WHERE unfinished = 1 LIMIT ?', limit)
      .map(keyIn);
  }

  finish(events: readonly EventKey[]): void {
    for (const { origin, id } of events) {
      this.#db.run(
        'UPDATE left_event SET unfinished = 0 WHERE origin = ? AND id = ?',
        origin,
        idBytes(id),
      );
    }
  }

  /** What is left of these may be told to subscribers again: nobody owes an answer for them. */
  untold(limit: number): EventKey[] {
    return this.#db
      .all(
        `SELECT origin, id FROM left_event WHERE unfinished = 0 AND NOT EXISTS (
           SELECT 1 FROM owed WHERE owed.origin = left_event.origin AND owed.id = left_event.id) LIMIT ?`,
        limit,
      )
      .map(keyIn);
  }

  told(events: readonly EventKey[]): void {
    for (const { origin, id } of events) {
      this.#db.run('DELETE FROM left_event WHERE origin = ? AND id = ?', origin, idBytes(id));
    }
  }

  all(): { readonly origin: string; readonly id: Uint8Array; readonly section: string }[] {
    return this.#db
      .all('SELECT origin, id, section FROM section_tombstone ORDER BY origin, id, section')
      .map((row) => ({
        origin: textOf(row, 'origin'),
        id: bytesOf(row, 'id'),
        section: textOf(row, 'section'),
      }));
  }
}

function keyIn(row: Row): EventKey {
  return { origin: textOf(row, 'origin') as MemberId, id: eventIdIn(bytesOf(row, 'id')) };
}
