import { type EventId, type MemberId, asUnixMs, idBytes } from '@concordat/common/domain/ids.js';
import { type Sqlite, bytesOf, numberOf, textOf } from '@concordat/common/io/store/sqlite.js';
import type { HeldEvent } from '../state/legal-holds.js';
import { eventIdIn } from '../state/stored-ids.js';

export const KNOWN_HOLDS_SCHEMA = `
CREATE TABLE IF NOT EXISTS known_hold(
  origin TEXT NOT NULL, id BLOB NOT NULL, ground TEXT NOT NULL, authority TEXT NOT NULL, review_at_ms INTEGER NOT NULL,
  placed_at_ms INTEGER NOT NULL, PRIMARY KEY(origin, id)) WITHOUT ROWID;
`;

/** The legal holds once more, outside of the state: a node that forgot one would delete what the law keeps. */
export class KnownHolds {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  keep({ origin, id, ground, authority, reviewAtMs, placedAtMs }: HeldEvent): void {
    this.#db.run(
      'INSERT OR REPLACE INTO known_hold VALUES(?, ?, ?, ?, ?, ?)',
      origin,
      idBytes(id),
      ground,
      authority,
      reviewAtMs,
      placedAtMs,
    );
  }

  drop(origin: MemberId, id: EventId): void {
    this.#db.run('DELETE FROM known_hold WHERE origin = ? AND id = ?', origin, idBytes(id));
  }

  all(): HeldEvent[] {
    return this.#db.all('SELECT * FROM known_hold ORDER BY origin, id').map((row) => ({
      origin: textOf(row, 'origin') as MemberId,
      id: eventIdIn(bytesOf(row, 'id')),
      ground: textOf(row, 'ground'),
      authority: textOf(row, 'authority'),
      reviewAtMs: asUnixMs(numberOf(row, 'review_at_ms')),
      placedAtMs: asUnixMs(numberOf(row, 'placed_at_ms')),
    }));
  }
}
