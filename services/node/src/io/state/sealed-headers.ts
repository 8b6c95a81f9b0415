import { type EventId, idBytes } from '@concordat/common/domain/ids.js';
import { type Sqlite, bytesOf } from '@concordat/common/io/store/sqlite.js';

export const SEALED_HEADERS_SCHEMA = `
CREATE TABLE IF NOT EXISTS sealed_header(id BLOB PRIMARY KEY, header BLOB NOT NULL) WITHOUT ROWID;
`;

/**
 * Headers of own events that were sealed before the state was lost: their rows go, and the order whose answer was lost too
 * is answered with them when it comes again.
 */
export class SealedHeaders {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  keep(id: EventId, header: Uint8Array): void {
    this.#db.run('INSERT OR IGNORE INTO sealed_header VALUES(?, ?)', idBytes(id), header);
  }

  get(id: EventId): Uint8Array | undefined {
    const row = this.#db.get('SELECT header FROM sealed_header WHERE id = ?', idBytes(id));
    return row && bytesOf(row, 'header');
  }

  /** They stand with their seal now. */
  drop(ids: readonly EventId[]): void {
    for (const id of ids) this.#db.run('DELETE FROM sealed_header WHERE id = ?', idBytes(id));
  }
}
