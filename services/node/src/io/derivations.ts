import { type EventId, type MemberId, idBytes } from '@concordat/common/domain/ids.js';
import { idsIn, packIds } from '@concordat/common/io/store/packed.js';
import { type Row, type Sqlite, bytesOf, textOf } from '@concordat/common/io/store/sqlite.js';
import { eventIdIn } from './state/stored-ids.js';

export const DERIVATIONS_SCHEMA = `
CREATE TABLE IF NOT EXISTS derivation(
  origin TEXT NOT NULL, parent BLOB NOT NULL, child BLOB NOT NULL, grant_bytes BLOB,
  PRIMARY KEY(origin, parent, child)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS derivation_child ON derivation(child);
`;

/** An event of our own was, or may be, derived from `parent` of `origin`. */
export interface Derivation {
  readonly origin: MemberId;
  readonly parent: EventId;
  readonly child: EventId;
  /** signed by `origin`; null for a parent of our own, which needs none, and while `origin` is asked */
  readonly grant: Uint8Array | null;
}

/** An own event and one that it comes from, maybe by way of other events of our own. */
export interface Descent {
  readonly parent: EventId;
  readonly child: EventId;
}

/**
 * What own events come from; kept for ever, also of events that were permitted and never made. The same table in state and
 * in data: a node that forgot one would keep what its parent's purge has to take.
 */
export class Derivations {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** The first grant of a pair stays. */
  keep(derivations: readonly Derivation[]): void {
    for (const { origin, parent, child, grant } of derivations) {
      this.#db.run(
        `INSERT INTO derivation VALUES(?, ?, ?, ?) ON CONFLICT(origin, parent, child)
         DO UPDATE SET grant_bytes = coalesce(grant_bytes, excluded.grant_bytes)`,
        origin,
        idBytes(parent),
        idBytes(child),
        grant,
      );
    }
  }

  /** Their origin has permitted none of these, and never will. */
  drop(derivations: readonly Derivation[]): void {
    for (const { origin, parent, child } of derivations) {
      this.#db.run(
        'DELETE FROM derivation WHERE origin = ? AND parent = ? AND child = ? AND grant_bytes IS NULL',
        origin,
        idBytes(parent),
        idBytes(child),
      );
    }
  }

  parentsOf(child: EventId): Derivation[] {
    const sql = 'SELECT * FROM derivation WHERE child = ? ORDER BY origin, parent';
    return this.#db.all(sql, idBytes(child)).map(derivationIn);
  }

  /** What comes from these events of `origin`, also by way of events of `self`. */
  descentsOf(self: MemberId, origin: MemberId, parents: readonly EventId[]): Descent[] {
    return this.#db
      .all(
        `WITH RECURSIVE made(parent, child) AS (
           SELECT parent, child FROM derivation WHERE origin = ?1 AND parent IN ${idsIn(2, 3)}
           UNION
           SELECT made.parent, next.child FROM made JOIN derivation AS next
             ON next.origin = ?4 AND next.parent = made.child)
         SELECT parent, child FROM made ORDER BY parent, child`,
        origin,
        packIds(parents),
        parents.length,
        self,
      )
      .map((row) => ({
        parent: eventIdIn(bytesOf(row, 'parent')),
        child: eventIdIn(bytesOf(row, 'child')),
      }));
  }

  all(): Derivation[] {
    return this.#db.all('SELECT * FROM derivation').map(derivationIn);
  }
}

function derivationIn(row: Row): Derivation {
  return {
    origin: textOf(row, 'origin') as MemberId,
    parent: eventIdIn(bytesOf(row, 'parent')),
    child: eventIdIn(bytesOf(row, 'child')),
    grant: row['grant_bytes'] === null ? null : bytesOf(row, 'grant_bytes'),
  };
}
