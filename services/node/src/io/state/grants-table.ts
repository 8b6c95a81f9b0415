import { type EventId, type MemberId, type UnixMs, idBytes } from '@concordat/common/domain/ids.js';
import { idsIn, packIds } from '@concordat/common/io/store/packed.js';
import {
  type Row,
  type Sqlite,
  bytesOf,
  numberOf,
  textOf,
} from '@concordat/common/io/store/sqlite.js';
import { eventIdIn } from './stored-ids.js';

export const GRANTS_TABLE_SCHEMA = `
CREATE TABLE IF NOT EXISTS derivation_grant(
  number INTEGER PRIMARY KEY, holder TEXT NOT NULL, parent BLOB NOT NULL, child BLOB NOT NULL, at_ms INTEGER NOT NULL,
  bytes BLOB NOT NULL, seq INTEGER NOT NULL, UNIQUE(parent, holder, child));
`;

export interface StoredGrant {
  /** on the chain of grants */
  readonly number: number;
  readonly holder: MemberId;
  readonly parent: EventId;
  readonly child: EventId;
  readonly timeMs: UnixMs;
  /** signed derivation grant */
  readonly bytes: Uint8Array;
  /** its outbox row; 0: the broker had it before */
  readonly seq: number;
}

/** Who may derive which event from which of ours, as this node has signed it; nothing is ever taken out of here. */
export class GrantsTable {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  add({ number, holder, parent, child, timeMs, bytes, seq }: StoredGrant): void {
    this.#db.run(
      'INSERT INTO derivation_grant VALUES(?, ?, ?, ?, ?, ?, ?)',
      number,
      holder,
      idBytes(parent),
      idBytes(child),
      timeMs,
      bytes,
      seq,
    );
  }

  find({
    holder,
    parent,
    child,
  }: Pick<StoredGrant, 'holder' | 'parent' | 'child'>): StoredGrant | undefined {
    const sql = 'SELECT * FROM derivation_grant WHERE parent = ? AND holder = ? AND child = ?';
    const row = this.#db.get(sql, idBytes(parent), holder, idBytes(child));
    return row && storedIn(row);
  }

  /** Grants from one event to one member. */
  count(holder: MemberId, parent: EventId): number {
    const sql = 'SELECT count(*) AS n FROM derivation_grant WHERE parent = ? AND holder = ?';
    return numberOf(this.#db.get(sql, idBytes(parent), holder) ?? {}, 'n');
  }

  /** Of these events, as they were granted. */
  among(parents: readonly EventId[]): StoredGrant[] {
    return this.#db
      .all(
        `SELECT * FROM derivation_grant WHERE parent IN ${idsIn(1, 2)} ORDER BY number`,
        packIds(parents),
        parents.length,
      )
      .map(storedIn);
  }
}

function storedIn(row: Row): StoredGrant {
  return {
    number: numberOf(row, 'number'),
    holder: textOf(row, 'holder') as MemberId,
    parent: eventIdIn(bytesOf(row, 'parent')),
    child: eventIdIn(bytesOf(row, 'child')),
    timeMs: numberOf(row, 'at_ms') as UnixMs,
    bytes: bytesOf(row, 'bytes'),
    seq: numberOf(row, 'seq'),
  };
}
