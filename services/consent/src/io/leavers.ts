import type { MemberId } from '@concordat/common/domain/ids.js';
import { type Sqlite, textOf } from '@concordat/common/io/store/sqlite.js';

export const LEAVERS_SCHEMA = `
CREATE TABLE IF NOT EXISTS leaver(member TEXT PRIMARY KEY) WITHOUT ROWID;
`;

/** Members that leave or have left: nobody ever comes out of here. */
export class Leavers {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  add(member: MemberId): void {
    this.#db.run('INSERT OR IGNORE INTO leaver VALUES(?)', member);
  }

  has(member: MemberId): boolean {
    return this.#db.get('SELECT member FROM leaver WHERE member = ?', member) !== undefined;
  }

  all(): ReadonlySet<MemberId> {
    const rows = this.#db.all('SELECT member FROM leaver');
    return new Set(rows.map((row) => textOf(row, 'member') as MemberId));
  }
}
