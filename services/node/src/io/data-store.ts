import {
  type EventId,
  type MemberId,
  type UnixMs,
  eventIdOf,
  idBytes,
} from '@concordat/common/domain/ids.js';
import type { Opening, Release, SealedSection } from '@concordat/common/domain/records.js';
import { CHAIN_SCHEMA, ChainTables } from '@concordat/common/io/store/chain-tables.js';
import {
  type Row,
  type SqlValue,
  Sqlite,
  bytesOf,
  numberOf,
  textOf,
} from '@concordat/common/io/store/sqlite.js';

const SCHEMA = `${CHAIN_SCHEMA}
CREATE TABLE IF NOT EXISTS event(
  origin TEXT NOT NULL, id BLOB NOT NULL, state TEXT NOT NULL, refusal TEXT, category TEXT NOT NULL,
  header BLOB NOT NULL, audience_salt BLOB, audience_value BLOB,
  agreement_id TEXT, agreement_version INTEGER, consent_id TEXT, sections TEXT, purposes TEXT,
  delete_by_ms INTEGER, onward INTEGER, block_lane INTEGER, block_epoch INTEGER, block_number INTEGER, leaf INTEGER,
  feed_chain TEXT, feed_epoch INTEGER, feed_number INTEGER, feed_index INTEGER,
  ask_after_ms INTEGER,
  PRIMARY KEY(origin, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS event_waiting ON event(origin, state, feed_chain, feed_epoch, feed_number, feed_index);
CREATE INDEX IF NOT EXISTS event_term ON event(origin, delete_by_ms) WHERE delete_by_ms IS NOT NULL;
CREATE TABLE IF NOT EXISTS section(
  origin TEXT NOT NULL, id BLOB NOT NULL, name TEXT NOT NULL, sealed BLOB NOT NULL,
  PRIMARY KEY(origin, id, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS feed_statement(
  chain TEXT NOT NULL, epoch INTEGER NOT NULL, number INTEGER NOT NULL, bytes BLOB NOT NULL,
  PRIMARY KEY(chain, epoch, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS key_record(
  origin TEXT NOT NULL, epoch INTEGER NOT NULL, number INTEGER NOT NULL, bytes BLOB NOT NULL,
  PRIMARY KEY(origin, epoch, number)) WITHOUT ROWID;
`;

/** published: own · waiting: received, keys wanted · readable: keys held · refused: the origin gave no key */
export type EventState = 'published' | 'waiting' | 'readable' | 'refused';

/** Terms of a release without its hashes, as kept beside a row. */
export type StoredRelease = Omit<Release, 'headerHash' | 'block' | 'id'> & {
  readonly block: { readonly lane: number; readonly epoch: number; readonly number: number };
};

export interface EventRow {
  readonly origin: MemberId;
  readonly id: EventId;
  readonly state: EventState;
  readonly category: string;
  readonly header: Uint8Array;
  /** own events only: what the release decision needs */
  readonly audience?: Opening;
  /** received events only */
  readonly release?: StoredRelease;
}

/** Where a received event's release stands. */
export interface FeedPlace {
  readonly chain: string;
  readonly epoch: number;
  readonly number: number;
  readonly index: number;
}

/** Headers and ciphertexts as they travelled; nothing here can be read without the vault. */
export class DataStore {
  readonly db: Sqlite;
  readonly chains: ChainTables;

  constructor(file: string) {
    this.db = new Sqlite(file, SCHEMA);
    this.chains = new ChainTables(this.db);
  }

  /** Keeps the first row of an (origin, id). */
  insert(row: EventRow, sections: readonly SealedSection[], feed?: FeedPlace): boolean {
    const id = idBytes(row.id);
    const inserted = this.db.run(
      `INSERT OR IGNORE INTO event VALUES(?, ?, ?, NULL, ?, ?, ?, ?, ${RELEASE_PLACES}, ?, ?, ?, ?, NULL)`,
      row.origin,
      id,
      row.state,
      row.category,
      row.header,
      row.audience?.salt ?? null,
      row.audience?.value ?? null,
      ...releaseColumns(row.release),
      feed?.chain ?? null,
      feed?.epoch ?? null,
      feed?.number ?? null,
      feed?.index ?? null,
    );
    if (inserted === 0) return false;
    for (const { name, sealed } of sections) {
      this.db.run('INSERT INTO section VALUES(?, ?, ?, ?)', row.origin, id, name, sealed);
    }
    return true;
  }

  find(origin: MemberId, id: EventId): EventRow | undefined {
    const row = this.db.get('SELECT * FROM event WHERE origin = ? AND id = ?', origin, idBytes(id));
    return row && eventRow(row);
  }

  sections(origin: MemberId, id: EventId): SealedSection[] {
    return this.db
      .all(
        'SELECT name, sealed FROM section WHERE origin = ? AND id = ? ORDER BY name',
        origin,
        idBytes(id),
      )
      .map((row) => ({ name: textOf(row, 'name'), sealed: bytesOf(row, 'sealed') }));
  }

  setReadable(origin: MemberId, id: EventId): void {
    this.db.run(
      "UPDATE event SET state = 'readable' WHERE origin = ? AND id = ?",
      origin,
      idBytes(id),
    );
  }

  /** No key will come, and no purge entry either, for only who got a key is addressed: the ciphertext goes now. */
  setRefused(origin: MemberId, id: EventId, reason: string): void {
    const key = idBytes(id);
    this.db.run(
      "UPDATE event SET state = 'refused', refusal = ? WHERE origin = ? AND id = ?",
      reason,
      origin,
      key,
    );
    this.db.run('DELETE FROM section WHERE origin = ? AND id = ?', origin, key);
  }

  refusal(origin: MemberId, id: EventId): string | undefined {
    const row = this.db.get(
      'SELECT refusal FROM event WHERE origin = ? AND id = ?',
      origin,
      idBytes(id),
    );
    const text = row?.['refusal'];
    return typeof text === 'string' ? text : undefined;
  }

  /** Everybody whose events are here, and this member if it published some; one step for each in the index. */
  origins(): MemberId[] {
    const found: MemberId[] = [];
    for (;;) {
      const row = this.db.get(
        'SELECT origin FROM event WHERE origin > ? ORDER BY origin LIMIT 1',
        found.at(-1) ?? '',
      );
      if (!row) return found;
      found.push(textOf(row, 'origin') as MemberId);
    }
  }

  /** Received events of an origin whose delete-by has passed, the longest overdue first. */
  termsOver(
    origin: MemberId,
    nowMs: UnixMs,
    limit: number,
  ): { readonly id: EventId; readonly category: string }[] {
    return this.db
      .all(
        `SELECT id, category FROM event WHERE origin = ? AND delete_by_ms <= ?
         ORDER BY delete_by_ms LIMIT ?`,
        origin,
        nowMs,
        limit,
      )
      .map((row) => ({ id: eventId(row), category: textOf(row, 'category') }));
  }

  /** Received events of an origin whose delete-by comes up to then. */
  countEnding(origin: MemberId, untilMs: number): number {
    const row = this.db.get(
      'SELECT count(*) AS n FROM event WHERE origin = ? AND delete_by_ms <= ?',
      origin,
      untilMs,
    );
    return numberOf(row ?? {}, 'n');
  }

  delete(events: readonly { readonly origin: MemberId; readonly id: EventId }[]): void {
    this.db.transaction(() => {
      for (const { origin, id } of events) {
        const key = idBytes(id);
        this.db.run('DELETE FROM event WHERE origin = ? AND id = ?', origin, key);
        this.db.run('DELETE FROM section WHERE origin = ? AND id = ?', origin, key);
      }
    });
  }

  settle(): void {
    this.db.truncateJournal();
  }

  keepFeedStatement(place: Omit<FeedPlace, 'index'>, bytes: Uint8Array): void {
    this.db.run(
      'INSERT OR IGNORE INTO feed_statement VALUES(?, ?, ?, ?)',
      place.chain,
      place.epoch,
      place.number,
      bytes,
    );
  }

  feedStatement(place: Omit<FeedPlace, 'index'>): Uint8Array | undefined {
    const row = this.db.get(
      'SELECT bytes FROM feed_statement WHERE chain = ? AND epoch = ? AND number = ?',
      place.chain,
      place.epoch,
      place.number,
    );
    return row && bytesOf(row, 'bytes');
  }

  /** Received events of an origin whose keys may be asked for now, in feed order. */
  waiting(
    origin: MemberId,
    nowMs: UnixMs,
    limit: number,
  ): { readonly id: EventId; readonly place: FeedPlace }[] {
    return this.db
      .all(
        `SELECT id, feed_chain, feed_epoch, feed_number, feed_index FROM event
         WHERE origin = ? AND state = 'waiting' AND coalesce(ask_after_ms, 0) <= ?
         ORDER BY feed_chain, feed_epoch, feed_number, feed_index LIMIT ?`,
        origin,
        nowMs,
        limit,
      )
      .map((row) => ({
        id: eventId(row),
        place: {
          chain: textOf(row, 'feed_chain'),
          epoch: numberOf(row, 'feed_epoch'),
          number: numberOf(row, 'feed_number'),
          index: numberOf(row, 'feed_index'),
        },
      }));
  }

  /** The origin has no key yet: it is not asked for this one before then. */
  askAfter(origin: MemberId, id: EventId, atMs: number): void {
    this.db.run(
      'UPDATE event SET ask_after_ms = ? WHERE origin = ? AND id = ?',
      atMs,
      origin,
      idBytes(id),
    );
  }

  /** When the next of the keys that were put off may be asked for; undefined when none waits. */
  nextAskMs(origin: MemberId): number | undefined {
    const row = this.db.get(
      `SELECT min(coalesce(ask_after_ms, 0)) AS at FROM event WHERE origin = ? AND state = 'waiting'`,
      origin,
    );
    const at = row?.['at'];
    return typeof at === 'number' ? at : undefined;
  }

  keepKeyRecord(origin: MemberId, epoch: number, number: number, bytes: Uint8Array): void {
    this.db.run(
      'INSERT OR IGNORE INTO key_record VALUES(?, ?, ?, ?)',
      origin,
      epoch,
      number,
      bytes,
    );
  }

  countByState(): { readonly origin: MemberId; readonly state: EventState; readonly n: number }[] {
    return this.db
      .all('SELECT origin, state, count(*) AS n FROM event GROUP BY origin, state')
      .map((row) => ({
        origin: textOf(row, 'origin') as MemberId,
        state: textOf(row, 'state') as EventState,
        n: numberOf(row, 'n'),
      }));
  }

  /** The next rows whose content can be read, in order of (origin, id). */
  readableAfter(after: Pick<EventRow, 'origin' | 'id'> | undefined, limit: number): EventRow[] {
    return this.db
      .all(
        `SELECT * FROM event WHERE (origin, id) > (?, ?) AND state IN ('readable', 'published')
         ORDER BY origin, id LIMIT ?`,
        after?.origin ?? '',
        after ? idBytes(after.id) : new Uint8Array(),
        limit,
      )
      .map(eventRow);
  }

  /** Every (origin, id, section) whose ciphertext is held, in order. */
  holdings(): { readonly origin: string; readonly id: Uint8Array; readonly section: string }[] {
    return this.db
      .all('SELECT origin, id, name FROM section ORDER BY origin, id, name')
      .map((row) => ({
        origin: textOf(row, 'origin'),
        id: bytesOf(row, 'id'),
        section: textOf(row, 'name'),
      }));
  }

  idsIn(state: EventState): { readonly origin: MemberId; readonly id: EventId }[] {
    return this.db.all('SELECT origin, id FROM event WHERE state = ?', state).map((row) => ({
      origin: textOf(row, 'origin') as MemberId,
      id: eventId(row),
    }));
  }

  close(): void {
    this.db.close();
  }
}

function eventId(row: Row): EventId {
  const id = eventIdOf(bytesOf(row, 'id'));
  if (!id.ok) throw new TypeError('an id in the data store is not a UUIDv7');
  return id.value;
}

function eventRow(row: Row): EventRow {
  const salt = row['audience_salt'];
  const value = row['audience_value'];
  return {
    origin: textOf(row, 'origin') as MemberId,
    id: eventId(row),
    state: textOf(row, 'state') as EventState,
    category: textOf(row, 'category'),
    header: bytesOf(row, 'header'),
    ...(salt instanceof Uint8Array &&
      value instanceof Uint8Array && { audience: { salt: salt as Opening['salt'], value } }),
    ...(row['agreement_id'] !== null && { release: releaseOf(row) }),
  };
}

/** Columns, not JSON: a time in decimal text could be taken for a document's number. */
const RELEASE_PLACES = Array.from({ length: 11 }, () => '?').join(', ');

function releaseColumns(release: StoredRelease | undefined): SqlValue[] {
  if (!release) return Array.from({ length: 11 }, () => null);
  const { block } = release;
  return [
    release.agreementId,
    release.agreementVersion,
    release.consentId,
    release.sections.join(' '),
    release.purposes.join(' '),
    release.deleteByMs,
    release.onward ? 1 : 0,
    block.lane,
    block.epoch,
    block.number,
    release.leaf,
  ];
}

function releaseOf(row: Row): StoredRelease {
  return {
    agreementId: textOf(row, 'agreement_id'),
    agreementVersion: numberOf(row, 'agreement_version'),
    consentId: textOf(row, 'consent_id'),
    sections: namesOf(row, 'sections'),
    purposes: namesOf(row, 'purposes'),
    deleteByMs: numberOf(row, 'delete_by_ms') as UnixMs,
    onward: numberOf(row, 'onward') === 1,
    block: {
      lane: numberOf(row, 'block_lane'),
      epoch: numberOf(row, 'block_epoch'),
      number: numberOf(row, 'block_number'),
    },
    leaf: numberOf(row, 'leaf'),
  };
}

/** `''.split` would make a name of nothing, and nothing then a purpose. */
function namesOf(row: Row, column: string): string[] {
  return textOf(row, column)
    .split(' ')
    .filter((name) => name !== '');
}
