import type { MemberId } from '@concordat/common/domain/ids.js';
import type { MembershipChange } from '@concordat/common/domain/records.js';
import {
  type Row,
  type Sqlite,
  bytesOf,
  numberOf,
  textOf,
} from '@concordat/common/io/store/sqlite.js';

export const MEMBERSHIP_TABLE_SCHEMA = `
CREATE TABLE IF NOT EXISTS membership(
  member TEXT NOT NULL, stage TEXT NOT NULL, reason TEXT NOT NULL, bytes BLOB NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY(member, stage)) WITHOUT ROWID;
`;

export interface StoredChange extends Pick<MembershipChange, 'member' | 'stage' | 'reason'> {
  /** signed membership change */
  readonly bytes: Uint8Array;
  /** its outbox row; 0: the broker had it before */
  readonly seq: number;
}

/** Members that nothing more goes to, as this origin has signed it; nobody is ever taken out of here. */
export class MembershipTable {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  add({ member, stage, reason, bytes, seq }: StoredChange): void {
    this.#db.run('INSERT INTO membership VALUES(?, ?, ?, ?, ?)', member, stage, reason, bytes, seq);
  }

  find(member: MemberId, stage: MembershipChange['stage']): StoredChange | undefined {
    const sql = 'SELECT * FROM membership WHERE member = ? AND stage = ?';
    const row = this.#db.get(sql, member, stage);
    return row && storedIn(row);
  }

  /** It leaves, or has left. */
  isLeaving(member: MemberId): boolean {
    return this.find(member, 'LEAVING') !== undefined;
  }
}

function storedIn(row: Row): StoredChange {
  return {
    member: textOf(row, 'member') as MemberId,
    stage: textOf(row, 'stage') as StoredChange['stage'],
    reason: textOf(row, 'reason'),
    bytes: bytesOf(row, 'bytes'),
    seq: numberOf(row, 'seq'),
  };
}
