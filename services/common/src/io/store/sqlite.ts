import Libsql from 'libsql';

export type SqlValue = string | number | null | Uint8Array;
export type Row = Readonly<Record<string, SqlValue>>;

interface LibsqlStatement {
  run(params: readonly SqlValue[]): { readonly changes: number };
  get(params: readonly SqlValue[]): Record<string, unknown> | undefined;
  all(params: readonly SqlValue[]): Record<string, unknown>[];
}

/** At most so many ids or other items go into one packed statement. */
export const PACKED_MAX = 4_096;
const PAGE_BYTES = 8_192;
/** 0, 1, 2, … in memory: takes blobs apart that hold many ids side by side, see `packed.ts`. */
const NTH = `
CREATE TEMP TABLE nth(i INTEGER PRIMARY KEY);
WITH RECURSIVE upto(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM upto WHERE i < ${String(PACKED_MAX - 1)})
INSERT INTO nth SELECT i FROM upto;
`;

/** One SQLite file: write-ahead journal, every commit synced, deleted bytes overwritten. */
export class Sqlite {
  readonly file: string;
  readonly #db: Libsql.Database;
  readonly #statements = new Map<string, LibsqlStatement>();
  #depth = 0;
  /** what waits for the end of the present transaction */
  #onCommit: (() => void)[] = [];

  constructor(file: string, schema: string) {
    this.file = file;
    this.#db = new Libsql(file);
    // a file that is there keeps its own; the journal is written a page at a time, twice as many of 4 KiB
    this.#db.pragma(`page_size = ${String(PAGE_BYTES)}`);
    this.#db.pragma('journal_mode = WAL');
    this.#db.pragma('synchronous = FULL');
    this.#db.pragma('secure_delete = ON');
    this.#db.pragma('temp_store = MEMORY');
    this.#db.pragma('busy_timeout = 5000');
    this.#db.exec(schema);
    this.#db.exec(NTH);
  }

  run(sql: string, ...params: readonly SqlValue[]): number {
    return this.#statement(sql).run(params.map(bindable)).changes;
  }

  all(sql: string, ...params: readonly SqlValue[]): Row[] {
    return this.#statement(sql).all(params.map(bindable)).map(asRow);
  }

  get(sql: string, ...params: readonly SqlValue[]): Row | undefined {
    const row = this.#statement(sql).get(params.map(bindable));
    return row && asRow(row);
  }

  /** Commits what `work` did, or nothing when it throws. Inside another transaction it joins that one. */
  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    this.#db.exec('BEGIN IMMEDIATE');
    this.#depth += 1;
    try {
      const result = work();
      this.#db.exec('COMMIT');
      for (const work of this.#onCommit.splice(0)) work();
      return result;
    } catch (cause) {
      this.#onCommit = [];
      this.#rollBack();
      throw cause;
    } finally {
      this.#depth -= 1;
    }
  }

  /** Runs `work` when what was done so far is committed: at once outside a transaction, never after one that was rolled back. */
  afterCommit(work: () => void): void {
    if (this.#depth > 0) this.#onCommit.push(work);
    else work();
  }

  /** A full disk has rolled back already; the cause is what counts, not that there is nothing left to undo. */
  #rollBack(): void {
    if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
  }

  /** Moves the journal into the file and empties it: after that, nothing deleted is left in either. */
  truncateJournal(): void {
    const [row] = this.#db.pragma('wal_checkpoint(TRUNCATE)') as { readonly busy: number }[];
    if (row?.busy !== 0) throw new Error(`the journal of ${this.file} could not be emptied`);
  }

  close(): void {
    this.#db.close();
  }

  #statement(sql: string): LibsqlStatement {
    const known = this.#statements.get(sql);
    if (known) return known;
    const made = this.#db.prepare(sql) as unknown as LibsqlStatement;
    this.#statements.set(sql, made);
    return made;
  }
}

/** Shorter ones lie in V8's heap: copying them costs less than moving them out of it, as `buffer` would. */
const COPIED_BYTES_MAX = 64;

/** libsql binds a Buffer, but takes a lone Uint8Array for an object of named parameters. */
function bindable(value: SqlValue): SqlValue {
  if (!(value instanceof Uint8Array) || Buffer.isBuffer(value)) return value;
  return value.length <= COPIED_BYTES_MAX
    ? Buffer.from(value)
    : Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

/** libsql answers blobs as ArrayBuffer from `all`, as Buffer from `get`, there with a `_metadata` of its own. */
function asRow(raw: Record<string, unknown>): Row {
  const row: Record<string, SqlValue> = {};
  for (const name in raw) {
    if (name !== '_metadata') row[name] = asValue(raw[name]);
  }
  return row;
}

function asValue(value: unknown): SqlValue {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (!Buffer.isBuffer(value)) return value as SqlValue;
  return new Uint8Array(value.buffer, value.byteOffset, value.length);
}

/** Typed access to a column; a mismatch is a mistake of ours. */
export function textOf(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new TypeError(`column ${column}: expected text`);
  return value;
}

export function numberOf(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number') throw new TypeError(`column ${column}: expected a number`);
  return value;
}

export function bytesOf(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw new TypeError(`column ${column}: expected bytes`);
  return value;
}
