import { type EventId, type MemberId, type UnixMs, idBytes } from '@concordat/common/domain/ids.js';
import {
  type Row,
  type Sqlite,
  bytesOf,
  numberOf,
  textOf,
} from '@concordat/common/io/store/sqlite.js';
import { eventIdIn } from './stored-ids.js';

export const ONWARD_REQUESTS_SCHEMA = `
CREATE TABLE IF NOT EXISTS onward_request(
  number INTEGER PRIMARY KEY AUTOINCREMENT, id BLOB NOT NULL, holder TEXT NOT NULL, recipient TEXT NOT NULL,
  purpose TEXT NOT NULL, reason TEXT NOT NULL, at_ms INTEGER NOT NULL, answer TEXT NOT NULL,
  sections TEXT NOT NULL, delete_by_ms INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS onward_accepted ON onward_request(id, recipient) WHERE answer = 'ACCEPTED';
`;

/** Names of sections hold no blanks. */
const BETWEEN = ' ';
/** Another member writes these: of the refused, only the newest are kept. */
const REFUSED_MAX = 1_000;

/** A holder's request that an own event be released to a third member, and what it was answered. */
export interface OnwardRequest {
  readonly id: EventId;
  readonly holder: MemberId;
  readonly recipient: MemberId;
  readonly purpose: string;
  readonly reason: string;
  readonly atMs: UnixMs;
  /** ACCEPTED, or the code of the refusal */
  readonly answer: string;
  /** what may go; [] when refused */
  readonly sections: readonly string[];
  /** 0 when refused */
  readonly deleteByMs: UnixMs;
}

export interface StoredOnward extends OnwardRequest {
  readonly number: number;
}

/** Who asked for what, when and why; the accepted ones are what consent releases next. */
export class OnwardRequests {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  add(request: OnwardRequest): void {
    this.#db.run(
      'INSERT INTO onward_request VALUES(NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      idBytes(request.id),
      request.holder,
      request.recipient,
      request.purpose,
      request.reason,
      request.atMs,
      request.answer,
      request.sections.join(BETWEEN),
      request.deleteByMs,
    );
    if (request.answer === 'ACCEPTED') return;
    this.#db.run(
      `DELETE FROM onward_request WHERE answer <> 'ACCEPTED' AND number <=
         (SELECT number FROM onward_request WHERE answer <> 'ACCEPTED' ORDER BY number DESC LIMIT 1 OFFSET ?)`,
      REFUSED_MAX,
    );
  }

  /** Under which requests an event may go to a member that its audience leaves out. */
  accepted(id: EventId, recipient: MemberId): StoredOnward[] {
    return this.#db
      .all(
        "SELECT * FROM onward_request WHERE id = ? AND recipient = ? AND answer = 'ACCEPTED' ORDER BY number",
        idBytes(id),
        recipient,
      )
      .map(storedIn);
  }

  /** The next accepted ones, in their order. */
  acceptedAfter(number: number, limit: number): StoredOnward[] {
    return this.#db
      .all(
        "SELECT * FROM onward_request WHERE number > ? AND answer = 'ACCEPTED' ORDER BY number LIMIT ?",
        number,
        limit,
      )
      .map(storedIn);
  }

  newest(limit: number): StoredOnward[] {
    return this.#db
      .all('SELECT * FROM onward_request ORDER BY number DESC LIMIT ?', limit)
      .map(storedIn);
  }
}

function storedIn(row: Row): StoredOnward {
  return {
    number: numberOf(row, 'number'),
    id: eventIdIn(bytesOf(row, 'id')),
    holder: textOf(row, 'holder') as MemberId,
    recipient: textOf(row, 'recipient') as MemberId,
    purpose: textOf(row, 'purpose'),
    reason: textOf(row, 'reason'),
    atMs: numberOf(row, 'at_ms') as UnixMs,
    answer: textOf(row, 'answer'),
    sections: textOf(row, 'sections').split(BETWEEN).filter(Boolean),
    deleteByMs: numberOf(row, 'delete_by_ms') as UnixMs,
  };
}
