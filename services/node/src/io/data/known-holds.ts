import { type EventId, type MemberId, idBytes } from '@concordat/common/domain/ids.js';
import type { Sqlite } from '@concordat/common/io/store/sqlite.js';
import { type HeldEvent, heldIn, holdValues } from '../state/legal-holds.js';

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

  keep(hold: HeldEvent): void {
    const sql = 'INSERT OR REPLACE INTO known_hold VALUES(?, ?, ?, ?, ?, ?)';
    this.#db.run(sql, ...holdValues(hold));
  }

  drop(origin: MemberId, id: EventId): void {
    this.#db.run('DELETE FROM known_hold WHERE origin = ? AND id = ?', origin, idBytes(id));
  }

  all(): HeldEvent[] {
    return this.#db.all('SELECT * FROM known_hold ORDER BY origin, id').map(heldIn);
  }
}
