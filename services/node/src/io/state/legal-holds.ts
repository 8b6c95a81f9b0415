import {
  type EventId,
  type MemberId,
  type UnixMs,
  asUnixMs,
  idBytes,
} from '@concordat/common/domain/ids.js';
import { idAt, lookUp } from '@concordat/common/io/store/packed.js';
import {
  type Row,
  type Sqlite,
  bytesOf,
  numberOf,
  textOf,
} from '@concordat/common/io/store/sqlite.js';
import { eventIdIn } from './stored-ids.js';

/** A hold that was released stays as a row, so that no earlier copy of the data store brings it back. */
export const LEGAL_HOLDS_SCHEMA = `
CREATE TABLE IF NOT EXISTS legal_hold(
  origin TEXT NOT NULL, id BLOB NOT NULL, ground TEXT NOT NULL, authority TEXT NOT NULL, review_at_ms INTEGER NOT NULL,
  placed_at_ms INTEGER NOT NULL, released_at_ms INTEGER, PRIMARY KEY(origin, id)) WITHOUT ROWID;
`;

/** Why the law keeps an event from being deleted. */
export interface HeldEvent {
  readonly origin: MemberId;
  readonly id: EventId;
  readonly ground: string;
  readonly authority: string;
  readonly reviewAtMs: UnixMs;
  readonly placedAtMs: UnixMs;
}

/** Events of others that may not be deleted here, whoever orders it. */
export class LegalHolds {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** Takes the place of an earlier hold on the same event, released or not. */
  place(hold: HeldEvent): void {
    const sql = 'INSERT OR REPLACE INTO legal_hold VALUES(?, ?, ?, ?, ?, ?, NULL)';
    this.#db.run(sql, ...holdValues(hold));
  }

  /** For a state that does not know it; one that was released stays so. */
  remember(hold: HeldEvent): void {
    const sql = 'INSERT OR IGNORE INTO legal_hold VALUES(?, ?, ?, ?, ?, ?, NULL)';
    this.#db.run(sql, ...holdValues(hold));
  }

  release(origin: MemberId, ids: readonly EventId[], atMs: UnixMs): void {
    for (const id of ids) {
      this.#db.run(
        'UPDATE legal_hold SET released_at_ms = ? WHERE origin = ? AND id = ? AND released_at_ms IS NULL',
        atMs,
        origin,
        idBytes(id),
      );
    }
  }

  find(origin: MemberId, id: EventId): HeldEvent | undefined {
    const row = this.#db.get(
      'SELECT * FROM legal_hold WHERE origin = ? AND id = ? AND released_at_ms IS NULL',
      origin,
      idBytes(id),
    );
    return row && heldIn(row);
  }

  among(origin: MemberId, ids: readonly EventId[]): Set<EventId> {
    const sql = `SELECT nth.i FROM nth JOIN legal_hold ON origin = ?1 AND id = ${idAt(2)}
      AND released_at_ms IS NULL WHERE nth.i < ?3`;
    const found = lookUp(ids, (packed, count) => this.#db.all(sql, origin, packed, count));
    return new Set(found.map(({ id }) => id));
  }

  /** The first review first. */
  all(): HeldEvent[] {
    return this.#db
      .all(
        'SELECT * FROM legal_hold WHERE released_at_ms IS NULL ORDER BY review_at_ms, origin, id',
      )
      .map(heldIn);
  }
}

/** The first six columns of a table of holds. */
export function holdValues(hold: HeldEvent): [string, Uint8Array, string, string, number, number] {
  const { origin, id, ground, authority, reviewAtMs, placedAtMs } = hold;
  return [origin, idBytes(id), ground, authority, reviewAtMs, placedAtMs];
}

export function heldIn(row: Row): HeldEvent {
  return {
    origin: textOf(row, 'origin') as MemberId,
    id: eventIdIn(bytesOf(row, 'id')),
    ground: textOf(row, 'ground'),
    authority: textOf(row, 'authority'),
    reviewAtMs: asUnixMs(numberOf(row, 'review_at_ms')),
    placedAtMs: asUnixMs(numberOf(row, 'placed_at_ms')),
  };
}
