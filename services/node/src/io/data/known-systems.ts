import type { UnixMs } from '@concordat/common/domain/ids.js';
import { type Sqlite, numberOf, textOf } from '@concordat/common/io/store/sqlite.js';
import type { NationalSystem, SystemKind } from '../state/systems-table.js';

export const KNOWN_SYSTEMS_SCHEMA = `
CREATE TABLE IF NOT EXISTS known_system(
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, registered_at_ms INTEGER NOT NULL) WITHOUT ROWID;
`;

export type KnownSystem = Pick<NationalSystem, 'id' | 'kind' | 'registeredAtMs'>;

/**
 * The national systems once more, outside of the state and in every backup: a node that forgot a copy system would sign
 * that events are deleted while that system still has them.
 */
export class KnownSystems {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  keep({ id, kind, registeredAtMs }: KnownSystem): void {
    this.#db.run('INSERT OR REPLACE INTO known_system VALUES(?, ?, ?)', id, kind, registeredAtMs);
  }

  all(): KnownSystem[] {
    return this.#db.all('SELECT * FROM known_system ORDER BY id').map((row) => ({
      id: textOf(row, 'id'),
      kind: textOf(row, 'kind') as SystemKind,
      registeredAtMs: numberOf(row, 'registered_at_ms') as UnixMs,
    }));
  }
}
