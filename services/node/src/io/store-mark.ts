import { equalBytes } from '@concordat/common/domain/bytes.js';
import { type Sqlite, bytesOf } from '@concordat/common/io/store/sqlite.js';

export const STORE_MARK_SCHEMA = `
CREATE TABLE IF NOT EXISTS store_mark(one INTEGER PRIMARY KEY CHECK (one = 1), mark BLOB NOT NULL);
`;

/**
 * The same random bytes in every store of a node, only while it is closed cleanly. A store that was lost, put back from
 * an earlier copy, or left behind by a crash does not have the mark of the others.
 */
export class StoreMark {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  get(): Uint8Array | undefined {
    const row = this.#db.get('SELECT mark FROM store_mark');
    return row && bytesOf(row, 'mark');
  }

  set(mark: Uint8Array): void {
    this.#db.run('INSERT OR REPLACE INTO store_mark VALUES(1, ?)', mark);
  }

  clear(): void {
    this.#db.run('DELETE FROM store_mark');
  }
}

/** Were these stores closed together, and none of them touched or replaced since? */
export function areMarkedAlike(marks: readonly StoreMark[]): boolean {
  const [first, ...others] = marks.map((mark) => mark.get());
  return first !== undefined && others.every((mark) => mark && equalBytes(mark, first));
}
