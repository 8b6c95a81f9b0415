import {
  type EventId,
  type MemberId,
  type UnixMs,
  eventIdOf,
  idBytes,
} from '@concordat/common/domain/ids.js';
import type { SealedSection } from '@concordat/common/domain/records.js';
import { CHAIN_SCHEMA, ChainTables } from '@concordat/common/io/store/chain-tables.js';
import {
  blobAt,
  blobsIn,
  idAt,
  idsIn,
  lookUp,
  numberAt,
  packBlobs,
  packIds,
  packNumbers,
  packedByOrigin,
  pieces,
  runs,
  sortable,
} from '@concordat/common/io/store/packed.js';
import { type Row, Sqlite, bytesOf, numberOf, textOf } from '@concordat/common/io/store/sqlite.js';
import { type EventBody, decodeBody, encodeBody } from './data/body.js';
import { DERIVATIONS_SCHEMA, Derivations } from './derivations.js';
import { KNOWN_HOLDS_SCHEMA, KnownHolds } from './data/known-holds.js';
import { KNOWN_SYSTEMS_SCHEMA, KnownSystems } from './data/known-systems.js';
import { RowRepair } from './data/row-repair.js';
import { type EventState, TALLY_SCHEMA, Tally } from './data/tally.js';
import { WAITING_SCHEMA, WaitingRows } from './data/waiting-rows.js';
import { STORE_MARK_SCHEMA, StoreMark } from './store-mark.js';

/**
 * Rows stand in batches, a block or a feed statement each; a body is found by batch and place. What changes in an
 * event's life is in a small row apart from its ciphertexts, which then need not be written again.
 */
const SCHEMA = `${CHAIN_SCHEMA}
${TALLY_SCHEMA}
${WAITING_SCHEMA}
${STORE_MARK_SCHEMA}
${DERIVATIONS_SCHEMA}
${KNOWN_HOLDS_SCHEMA}
${KNOWN_SYSTEMS_SCHEMA}
CREATE TABLE IF NOT EXISTS event(
  origin TEXT NOT NULL, id BLOB NOT NULL, state TEXT NOT NULL, batch INTEGER NOT NULL, place INTEGER NOT NULL,
  delete_by BLOB, PRIMARY KEY(origin, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS event_term ON event(origin, delete_by) WHERE delete_by IS NOT NULL;
CREATE TABLE IF NOT EXISTS body(row INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS refusal(
  origin TEXT NOT NULL, id BLOB NOT NULL, reason TEXT NOT NULL, PRIMARY KEY(origin, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS key_record(
  origin TEXT NOT NULL, epoch INTEGER NOT NULL, number INTEGER NOT NULL, bytes BLOB NOT NULL,
  PRIMARY KEY(origin, epoch, number)) WITHOUT ROWID;
`;

/** More places than a record of a mebibyte has room for. */
export const BATCH_PLACES = 65_536;
const ROW = `batch * ${String(BATCH_PLACES)} + place`;
/** Bodies that are read at once when all are gone through. */
const PAGE = 500;

export interface EventKey {
  readonly origin: MemberId;
  readonly id: EventId;
}

export interface EventRow extends EventKey, Omit<EventBody, 'sections'> {
  readonly state: EventState;
}

export interface NewRow {
  readonly id: EventId;
  /** within its block or feed statement */
  readonly place: number;
  readonly body: EventBody;
}

/** Headers and ciphertexts as they travelled; nothing here can be read without the vault. */
export class DataStore {
  readonly db: Sqlite;
  readonly chains: ChainTables;
  readonly waiting: WaitingRows;
  readonly mark: StoreMark;
  readonly derivations: Derivations;
  readonly holds: KnownHolds;
  readonly systems: KnownSystems;
  readonly repair: RowRepair;
  readonly #tally: Tally;

  constructor(file: string) {
    this.db = new Sqlite(file, SCHEMA);
    this.chains = new ChainTables(this.db);
    this.waiting = new WaitingRows(this.db);
    this.mark = new StoreMark(this.db);
    this.derivations = new Derivations(this.db);
    this.holds = new KnownHolds(this.db);
    this.systems = new KnownSystems(this.db);
    this.#tally = new Tally(this.db);
    this.repair = new RowRepair(this.db, this.#tally);
  }

  /** Those of these events that have a row. */
  knownAmong(origin: MemberId, ids: readonly EventId[]): Set<EventId> {
    return this.#among(origin, ids, '');
  }

  /** Those of these events whose keys are wanted. */
  waitingAmong(origin: MemberId, ids: readonly EventId[]): Set<EventId> {
    return this.#among(origin, ids, "AND state = 'waiting'");
  }

  /** Those of these events whose keys are only ever leased. */
  leasedAmong(origin: MemberId, ids: readonly EventId[]): Set<EventId> {
    return this.#among(origin, ids, "AND state = 'leased'");
  }

  #among(origin: MemberId, ids: readonly EventId[], condition: string): Set<EventId> {
    const sql = `SELECT nth.i FROM nth JOIN event ON origin = ?1 AND id = ${idAt(2)} ${condition} WHERE nth.i < ?3`;
    const found = lookUp(ids, (packed, count) => this.db.all(sql, origin, packed, count));
    return new Set(found.map(({ id }) => id));
  }

  /** Rows of one batch; none of them may be there. */
  insert(
    origin: MemberId,
    state: Extract<EventState, 'published' | 'waiting'>,
    batch: number,
    rows: readonly NewRow[],
  ): void {
    this.db.transaction(() => {
      for (const run of followingEachOther(rows)) this.#insertRun(origin, state, batch, run);
      this.#tally.add(origin, state, rows.length);
    });
  }

  #insertRun(origin: MemberId, state: EventState, batch: number, run: readonly NewRow[]): void {
    this.db.run(
      `INSERT INTO event
       SELECT ?1, ${idAt(2)}, ?3, ?4, ?5 + nth.i, nullif(${numberAt(6)}, zeroblob(8))
       FROM nth WHERE nth.i < ?7`,
      origin,
      packIds(run.map(({ id }) => id)),
      state,
      batch,
      run[0]?.place ?? 0,
      packNumbers(run.map(({ body }) => body.release?.deleteByMs ?? 0)),
      run.length,
    );
    // what a failed attempt left behind gives way
    this.db.run(
      `INSERT OR REPLACE INTO body SELECT ?1 + span.key, ${blobAt(2)} FROM ${blobsIn(3)}`,
      batch * BATCH_PLACES + (run[0]?.place ?? 0),
      ...packBlobs(run.map(({ body }) => encodeBody(body))),
    );
  }

  find(origin: MemberId, id: EventId): EventRow | undefined {
    const row = this.db.get(
      `SELECT origin, id, state, bytes FROM event JOIN body ON row = ${ROW} WHERE origin = ? AND id = ?`,
      origin,
      idBytes(id),
    );
    return row && eventRow(row);
  }

  has(origin: MemberId, id: EventId): boolean {
    const sql = 'SELECT 1 AS one FROM event WHERE origin = ? AND id = ?';
    return this.db.get(sql, origin, idBytes(id)) !== undefined;
  }

  /** In the order of their names. */
  sections(origin: MemberId, id: EventId): readonly SealedSection[] {
    const row = this.db.get(
      `SELECT bytes FROM event JOIN body ON row = ${ROW} WHERE origin = ? AND id = ?`,
      origin,
      idBytes(id),
    );
    if (!row) return [];
    const { sections } = decodeBody(bytesOf(row, 'bytes'));
    return [...sections].sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** Those that wait become readable; the others stay as they are. */
  setReadable(
    origin: MemberId,
    ids: readonly EventId[],
    to: Extract<EventState, 'readable' | 'leased'> = 'readable',
  ): void {
    this.db.transaction(() => {
      for (const part of pieces(ids)) {
        const changed = this.db.run(
          `UPDATE event SET state = ?4 WHERE origin = ?1 AND state = 'waiting'
           AND id IN ${idsIn(2, 3)}`,
          origin,
          packIds(part),
          part.length,
          to,
        );
        this.#tally.move(origin, { from: 'waiting', to }, changed);
      }
    });
  }

  /** No key will come, and no purge entry either, for only who got a key is addressed: the ciphertext goes now. */
  setRefused(origin: MemberId, id: EventId, reason: string): void {
    this.db.transaction(() => {
      const row = this.db.get(
        `SELECT ${ROW} AS row, bytes FROM event JOIN body ON row = ${ROW}
         WHERE origin = ? AND id = ? AND state = 'waiting'`,
        origin,
        idBytes(id),
      );
      if (!row) return;
      const body = decodeBody(bytesOf(row, 'bytes'));
      this.db.run(
        'UPDATE body SET bytes = ? WHERE row = ?',
        encodeBody({ ...body, sections: [] }),
        numberOf(row, 'row'),
      );
      this.db.run(
        "UPDATE event SET state = 'refused' WHERE origin = ? AND id = ?",
        origin,
        idBytes(id),
      );
      this.db.run('INSERT OR REPLACE INTO refusal VALUES(?, ?, ?)', origin, idBytes(id), reason);
      this.#tally.move(origin, { from: 'waiting', to: 'refused' }, 1);
    });
  }

  refusal(origin: MemberId, id: EventId): string | undefined {
    const sql = 'SELECT reason FROM refusal WHERE origin = ? AND id = ?';
    const row = this.db.get(sql, origin, idBytes(id));
    return row && textOf(row, 'reason');
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
        `SELECT origin, id, state, bytes FROM event JOIN body ON row = ${ROW}
         WHERE origin = ? AND delete_by <= ? ORDER BY delete_by LIMIT ?`,
        origin,
        sortable(nowMs),
        limit,
      )
      .map(eventRow);
  }

  /** Received events of an origin whose delete-by comes up to then. */
  countEnding(origin: MemberId, untilMs: number): number {
    const row = this.db.get(
      'SELECT count(*) AS n FROM event WHERE origin = ? AND delete_by <= ?',
      origin,
      sortable(untilMs),
    );
    return numberOf(row ?? {}, 'n');
  }

  /** They are purged and the law keeps them: nobody is told of them or asks for them, and no term ends them. */
  setHeld(events: readonly EventKey[]): void {
    this.db.transaction(() => {
      for (const { origin, ids, count } of packedByOrigin(events)) {
        const these = `origin = ?1 AND id IN ${idsIn(2, 3)}`;
        const states = `SELECT state, count(*) AS n FROM event WHERE ${these} GROUP BY state`;
        for (const row of this.db.all(states, origin, ids, count)) {
          const from = textOf(row, 'state') as EventState;
          this.#tally.move(origin, { from, to: 'held' }, numberOf(row, 'n'));
        }
        const sql = `UPDATE event SET state = 'held', delete_by = NULL WHERE ${these}`;
        this.db.run(sql, origin, ids, count);
        this.db.run(`DELETE FROM put_off WHERE ${these}`, origin, ids, count);
      }
    });
  }

  delete(events: readonly EventKey[]): void {
    this.db.transaction(() => {
      for (const part of packedByOrigin(events)) this.#deletePart(part);
    });
  }

  #deletePart({
    origin,
    ids,
    count,
  }: {
    readonly origin: MemberId;
    readonly ids: Uint8Array;
    readonly count: number;
  }): void {
    const these = `origin = ?1 AND id IN ${idsIn(2, 3)}`;
    const states = `SELECT state, count(*) AS n FROM event WHERE ${these} GROUP BY state`;
    for (const row of this.db.all(states, origin, ids, count)) {
      this.#tally.add(origin, textOf(row, 'state'), -numberOf(row, 'n'));
    }
    const bodies = `DELETE FROM body WHERE row IN (SELECT ${ROW} FROM event WHERE ${these})`;
    this.db.run(bodies, origin, ids, count);
    for (const table of ['event', 'refusal', 'put_off']) {
      this.db.run(`DELETE FROM ${table} WHERE ${these}`, origin, ids, count);
    }
  }

  /** Ciphertexts of these sections go; an event without any left goes whole, unless its key was refused before. */
  deleteSections(origin: MemberId, id: EventId, gone: ReadonlySet<string>): void {
    this.db.transaction(() => {
      const row = this.db.get(
        `SELECT ${ROW} AS row, bytes FROM event JOIN body ON row = ${ROW} WHERE origin = ? AND id = ?`,
        origin,
        idBytes(id),
      );
      if (!row) return;
      const body = decodeBody(bytesOf(row, 'bytes'));
      const sections = body.sections.filter(({ name }) => !gone.has(name));
      if (sections.length === body.sections.length) return;
      if (sections.length === 0) this.delete([{ origin, id }]);
      else {
        this.db.run(
          'UPDATE body SET bytes = ? WHERE row = ?',
          encodeBody({ ...body, sections }),
          numberOf(row, 'row'),
        );
      }
    });
  }

  settle(): void {
    this.db.truncateJournal();
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
    return this.#tally.all();
  }

  /** Every (origin, id, section) whose ciphertext is held, in order. */
  holdings(): { readonly origin: string; readonly id: Uint8Array; readonly section: string }[] {
    return [...this.#bodies()].flatMap(({ origin, id, sections }) =>
      sections
        .map(({ name }) => name)
        .sort()
        .map((section) => ({ origin, id: idBytes(id), section })),
    );
  }

  *#bodies(): Generator<EventKey & Pick<EventBody, 'sections'>> {
    for (let after: EventKey | undefined; ;) {
      const rows = this.db.all(
        `SELECT origin, id, bytes FROM event JOIN body ON row = ${ROW}
         WHERE (origin, id) > (?, ?) ORDER BY origin, id LIMIT ?`,
        after?.origin ?? '',
        after ? idBytes(after.id) : new Uint8Array(),
        PAGE,
      );
      if (rows.length === 0) return;
      for (const row of rows) {
        after = { origin: textOf(row, 'origin') as MemberId, id: eventIdIn(row) };
        yield { ...after, sections: decodeBody(bytesOf(row, 'bytes')).sections };
      }
    }
  }

  idsIn(state: EventState): EventKey[] {
    return this.db.all('SELECT origin, id FROM event WHERE state = ?', state).map((row) => ({
      origin: textOf(row, 'origin') as MemberId,
      id: eventIdIn(row),
    }));
  }

  close(): void {
    this.db.close();
  }
}

/** Rows whose places follow each other, as they mostly do: their place less their number is the same. */
function followingEachOther(rows: readonly NewRow[]): Generator<readonly NewRow[]> {
  const offsets = new Map(rows.map((row, at) => [row, row.place - at]));
  return runs(rows, (row) => offsets.get(row));
}

function eventIdIn(row: Row): EventId {
  const id = eventIdOf(bytesOf(row, 'id'));
  if (!id.ok) throw new TypeError('an id in the data store is not a UUIDv7');
  return id.value;
}

function eventRow(row: Row): EventRow {
  return {
    origin: textOf(row, 'origin') as MemberId,
    id: eventIdIn(row),
    state: textOf(row, 'state') as EventState,
    ...decodeBody(bytesOf(row, 'bytes')),
  };
}
