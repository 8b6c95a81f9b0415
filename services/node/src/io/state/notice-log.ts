import { type EventId, type MemberId, idBytes } from '@concordat/common/domain/ids.js';
import { idAt, packIds, pieces } from '@concordat/common/io/store/packed.js';
import { type Sqlite, bytesOf, numberOf, textOf } from '@concordat/common/io/store/sqlite.js';
import type { NoticePlace } from '../../domain/cursor.js';
import { eventIdIn } from './stored-ids.js';

export const NOTICE_LOG_SCHEMA = `
CREATE TABLE IF NOT EXISTS notice(
  number INTEGER PRIMARY KEY AUTOINCREMENT, origin TEXT NOT NULL, id BLOB NOT NULL, kind TEXT NOT NULL,
  category TEXT NOT NULL, reason TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS notice_event ON notice(origin, id);
CREATE TABLE IF NOT EXISTS notice_epoch(
  one INTEGER PRIMARY KEY CHECK (one = 1), epoch BLOB NOT NULL);
`;

export type WithdrawalReason = 'PURGED' | 'RETENTION';

/** What subscribers are told of one event. */
export interface Notice {
  readonly number: number;
  readonly kind: 'READABLE' | 'WITHDRAWN';
  readonly origin: MemberId;
  readonly id: EventId;
  readonly category: string;
  /** empty unless withdrawn */
  readonly reason: WithdrawalReason | '';
}

/**
 * What subscribers are told, numbered without going back. An event has one row: its withdrawal takes the place of the
 * notice that it is readable, with a number of its own. So the log is no longer than what is held and what is buried.
 */
export class NoticeLog {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** Names this log, unless it has a name. */
  begin(epoch: Uint8Array): void {
    this.#db.run('INSERT OR IGNORE INTO notice_epoch VALUES(1, ?)', epoch);
  }

  place(): NoticePlace {
    const epoch = this.#db.get('SELECT epoch FROM notice_epoch');
    const newest = this.#db.get("SELECT seq FROM sqlite_sequence WHERE name = 'notice'");
    return { epoch: bytesOf(epoch ?? {}, 'epoch'), newest: newest ? numberOf(newest, 'seq') : 0 };
  }

  /** For the commit that makes them readable, or the last one before it; what has a row keeps it. */
  readable(origin: MemberId, category: string, ids: readonly EventId[]): void {
    for (const part of pieces(ids)) {
      this.#db.run(
        `INSERT OR IGNORE INTO notice(origin, id, kind, category, reason)
         SELECT ?1, ${idAt(2)}, 'READABLE', ?4, '' FROM nth WHERE nth.i < ?3`,
        origin,
        packIds(part),
        part.length,
        category,
      );
    }
  }

  /** For the commit that buries them; only what was readable is withdrawn. */
  withdraw(origin: MemberId, ids: readonly EventId[], reason: WithdrawalReason): void {
    for (const part of pieces(ids)) {
      this.#db.run(
        `INSERT OR REPLACE INTO notice(origin, id, kind, category, reason)
         SELECT origin, id, 'WITHDRAWN', category, ?4
         FROM nth JOIN notice ON origin = ?1 AND id = ${idAt(2)} AND kind = 'READABLE'
         WHERE nth.i < ?3 ORDER BY nth.i`,
        origin,
        packIds(part),
        part.length,
        reason,
      );
    }
  }

  /** After a loss of the state: tells what was withdrawn before once more; of what category it was, is lost with it. */
  withdrawAgain(origin: MemberId, ids: readonly EventId[], reason: WithdrawalReason): void {
    for (const part of pieces(ids)) {
      this.#db.run(
        `INSERT OR IGNORE INTO notice(origin, id, kind, category, reason)
         SELECT ?1, ${idAt(2)}, 'WITHDRAWN', '', ?4 FROM nth WHERE nth.i < ?3 ORDER BY nth.i`,
        origin,
        packIds(part),
        part.length,
        reason,
      );
    }
  }

  /** What was withdrawn in part may be read as far as it is left; what was never withdrawn keeps its row. */
  readableAgain(origin: MemberId, id: EventId): void {
    this.#db.run(
      `INSERT OR REPLACE INTO notice(origin, id, kind, category, reason)
       SELECT origin, id, 'READABLE', category, '' FROM notice WHERE origin = ? AND id = ? AND kind = 'WITHDRAWN'`,
      origin,
      idBytes(id),
    );
  }

  /** The next notices after a number, oldest first. */
  after(number: number, limit: number): Notice[] {
    return this.#db
      .all('SELECT * FROM notice WHERE number > ? ORDER BY number LIMIT ?', number, limit)
      .map((row) => ({
        number: numberOf(row, 'number'),
        kind: textOf(row, 'kind') as Notice['kind'],
        origin: textOf(row, 'origin') as MemberId,
        id: eventIdIn(bytesOf(row, 'id')),
        category: textOf(row, 'category'),
        reason: textOf(row, 'reason') as Notice['reason'],
      }));
  }
}
