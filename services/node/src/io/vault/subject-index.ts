import { type KeyObject, createHmac, createSecretKey } from 'node:crypto';
import { bytesKey, concatBytes } from '@concordat/common/domain/bytes.js';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import {
  grouped,
  idAt,
  idsIn,
  lookUp,
  packIds,
  packRows,
  pieces,
} from '@concordat/common/io/store/packed.js';
import { type Row, type Sqlite, bytesOf } from '@concordat/common/io/store/sqlite.js';

export const SUBJECT_INDEX_SCHEMA = `
CREATE TABLE IF NOT EXISTS event_subject(
  origin TEXT NOT NULL, id BLOB NOT NULL, tags BLOB NOT NULL, PRIMARY KEY(origin, id)) WITHOUT ROWID;
`;

/** Two subjects of 2^64 share a tag this long, and its holder could still not tell whose it is. */
const TAG_BYTES = 16;
const LABEL = 'concordat subject v1\n';

export interface EventSubjects {
  readonly id: EventId;
  /** in the spelling of `domain/subjects.ts` */
  readonly subjects: readonly string[];
}

interface Tagged {
  readonly id: EventId;
  readonly tags: readonly Uint8Array[];
}

/**
 * Whom own events are about, as HMAC-SHA-256 under a key of the vault's own. A row stands beside the event's keys and goes
 * with them; there is no table from subject to events, which would have to be cleaned of each of them.
 */
export class SubjectIndex {
  readonly #db: Sqlite;
  readonly #readKey: () => Uint8Array;
  #key: KeyObject | undefined;
  /** Nothing was ever put: most categories of most members name no subject. */
  #isEmpty: boolean;

  /** @param readKey called once, when the first subject comes */
  constructor(db: Sqlite, readKey: () => Uint8Array) {
    this.#db = db;
    this.#readKey = readKey;
    this.#isEmpty = db.get('SELECT 1 AS one FROM event_subject LIMIT 1') === undefined;
  }

  /** What is there already gives way, as in the vault. Call inside its transaction. */
  put(origin: MemberId, events: readonly EventSubjects[]): void {
    const tagged = events.map(({ id, subjects }) => ({ id, tags: subjects.map(this.#tag) }));
    for (const [count, some] of grouped(tagged, ({ tags }) => tags.length)) {
      if (count === 0) this.#deleteIds(origin, some);
      else for (const part of pieces(some)) this.#putPart(origin, count * TAG_BYTES, part);
    }
  }

  #putPart(origin: MemberId, width: number, part: readonly Tagged[]): void {
    this.#isEmpty = false;
    this.#db.run(
      `INSERT OR REPLACE INTO event_subject SELECT ?1, ${idAt(2)}, substr(?3, nth.i * ?4 + 1, ?4)
       FROM nth WHERE nth.i < ?5`,
      origin,
      packIds(part.map(({ id }) => id)),
      packRows(
        part.map(({ tags }) => concatBytes(...tags)),
        width,
      ),
      width,
      part.length,
    );
  }

  delete(events: readonly { readonly origin: MemberId; readonly id: EventId }[]): void {
    for (const [origin, some] of grouped(events, (one) => one.origin))
      this.#deleteIds(origin, some);
  }

  #deleteIds(origin: MemberId, events: readonly { readonly id: EventId }[]): void {
    if (this.#isEmpty) return;
    for (const part of pieces(events)) {
      const sql = `DELETE FROM event_subject WHERE origin = ?1 AND id IN ${idsIn(2, 3)}`;
      this.#db.run(sql, origin, packIds(part.map(({ id }) => id)), part.length);
    }
  }

  /** Those of these events that are about one of the subjects. */
  about(origin: MemberId, ids: readonly EventId[], subjects: readonly string[]): Set<EventId> {
    const wanted = new Set(subjects.map((one) => bytesKey(this.#tag(one))));
    const sql = `SELECT nth.i, tags FROM nth JOIN event_subject ON origin = ?1 AND id = ${idAt(2)} WHERE nth.i < ?3`;
    const found = lookUp(ids, (packed, count) => this.#db.all(sql, origin, packed, count));
    const isWanted = ({ row }: { readonly row: Row }): boolean =>
      tagsIn(bytesOf(row, 'tags')).some((tag) => wanted.has(bytesKey(tag)));
    return new Set(found.filter(isWanted).map(({ id }) => id));
  }

  readonly #tag = (subject: string): Uint8Array => {
    this.#key ??= createSecretKey(this.#readKey());
    const hmac = createHmac('sha256', this.#key).update(LABEL).update(subject, 'utf8');
    return Uint8Array.from(hmac.digest().subarray(0, TAG_BYTES));
  };
}

function tagsIn(bytes: Uint8Array): Uint8Array[] {
  const tags: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += TAG_BYTES) {
    tags.push(bytes.slice(at, at + TAG_BYTES));
  }
  return tags;
}
