import { type EventId, type MemberId, type UnixMs, idBytes } from '@concordat/common/domain/ids.js';
import { idAt, packIds, pieces } from '@concordat/common/io/store/packed.js';
import { type Row, type Sqlite, numberOf, textOf } from '@concordat/common/io/store/sqlite.js';

export const SYSTEMS_SCHEMA = `
CREATE TABLE IF NOT EXISTS system(
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, registered_at_ms INTEGER NOT NULL, cursor INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS owed(
  origin TEXT NOT NULL, id BLOB NOT NULL, system TEXT NOT NULL, PRIMARY KEY(origin, id, system)) WITHOUT ROWID;
`;

/** view: keeps nothing · copy: has a database of its own */
export type SystemKind = 'view' | 'copy';

export interface NationalSystem {
  readonly id: string;
  readonly kind: SystemKind;
  readonly registeredAtMs: UnixMs;
  /** number of the last notice that it dealt with */
  readonly cursor: number | undefined;
  /** withdrawals that it has still to acknowledge */
  readonly outstanding: number;
}

/** The national systems of this member, and which withdrawals its copy systems owe an answer to. */
export class SystemsTable {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  register(id: string, kind: SystemKind, atMs: UnixMs): void {
    this.#db.run(
      'INSERT INTO system VALUES(?, ?, ?, NULL) ON CONFLICT(id) DO UPDATE SET kind = excluded.kind',
      id,
      kind,
      atMs,
    );
  }

  find(id: string): NationalSystem | undefined {
    const row = this.#db.get('SELECT * FROM system WHERE id = ?', id);
    return row && this.#system(row);
  }

  all(): NationalSystem[] {
    return this.#db.all('SELECT * FROM system ORDER BY id').map((row) => this.#system(row));
  }

  #system(row: Row): NationalSystem {
    const id = textOf(row, 'id');
    const cursor = row['cursor'];
    const owed = this.#db.get('SELECT count(*) AS n FROM owed WHERE system = ?', id);
    return {
      id,
      kind: textOf(row, 'kind') as SystemKind,
      registeredAtMs: numberOf(row, 'registered_at_ms') as UnixMs,
      cursor: typeof cursor === 'number' ? cursor : undefined,
      outstanding: numberOf(owed ?? {}, 'n'),
    };
  }

  /** Never back: an acknowledgement that comes late takes nothing away. */
  advance(id: string, cursor: number): void {
    this.#db.run('UPDATE system SET cursor = max(coalesce(cursor, 0), ?) WHERE id = ?', cursor, id);
  }

  /**
   * For the commit that buries these, before they are withdrawn: whatever could be read may be in a copy, so every copy
   * system owes an answer for it.
   */
  owe(origin: MemberId, ids: readonly EventId[]): void {
    for (const part of pieces(ids)) {
      this.#db.run(
        `INSERT OR IGNORE INTO owed SELECT ?1, notice.id, system.id
         FROM system JOIN nth JOIN notice ON origin = ?1 AND notice.id = ${idAt(2)} AND notice.kind = 'READABLE'
         WHERE system.kind = 'copy' AND nth.i < ?3`,
        origin,
        packIds(part),
        part.length,
      );
    }
  }

  /** After a loss of the state: what every copy system was asked to delete before, it is asked again. */
  oweAgain(origin: MemberId, ids: readonly EventId[]): void {
    for (const part of pieces(ids)) {
      this.#db.run(
        `INSERT OR IGNORE INTO owed SELECT ?1, ${idAt(2)}, system.id FROM system JOIN nth
         WHERE system.kind = 'copy' AND nth.i < ?3`,
        origin,
        packIds(part),
        part.length,
      );
    }
  }

  acknowledge(system: string, origin: MemberId, id: EventId): void {
    this.#db.run(
      'DELETE FROM owed WHERE origin = ? AND id = ? AND system = ?',
      origin,
      idBytes(id),
      system,
    );
  }
}
