import { type Sqlite, numberOf } from '@concordat/common/io/store/sqlite.js';

export const AGREEMENT_VERSIONS_SCHEMA = `
CREATE TABLE IF NOT EXISTS agreement_version(id TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID;
`;

/** The highest version of each agreement that this node has ever run under. */
export class AgreementVersions {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** 0 for one that was never seen */
  highest(id: string): number {
    const row = this.#db.get('SELECT version FROM agreement_version WHERE id = ?', id);
    return row ? numberOf(row, 'version') : 0;
  }

  note(id: string, version: number): void {
    this.#db.run('INSERT OR REPLACE INTO agreement_version VALUES(?, ?)', id, version);
  }
}
