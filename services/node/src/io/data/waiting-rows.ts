import { type EventId, type MemberId, type UnixMs, idBytes } from '@concordat/common/domain/ids.js';
import { idAt, lookUp, packIds } from '@concordat/common/io/store/packed.js';
import { type Sqlite, bytesOf, numberOf } from '@concordat/common/io/store/sqlite.js';

export const WAITING_SCHEMA = `
CREATE TABLE IF NOT EXISTS batch(
  batch INTEGER PRIMARY KEY, origin TEXT NOT NULL, chain TEXT NOT NULL, epoch INTEGER NOT NULL, number INTEGER NOT NULL,
  is_open INTEGER NOT NULL, UNIQUE(chain, epoch, number));
CREATE INDEX IF NOT EXISTS batch_open ON batch(origin, batch) WHERE is_open = 1;
CREATE TABLE IF NOT EXISTS feed_statement(batch INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS put_off(
  origin TEXT NOT NULL, id BLOB NOT NULL, ask_after_ms INTEGER NOT NULL, PRIMARY KEY(origin, id)) WITHOUT ROWID;
`;

/** A block or a feed statement. */
export interface BatchPlace {
  readonly origin: MemberId;
  readonly chain: string;
  readonly epoch: number;
  readonly number: number;
}

export interface OpenBatch {
  readonly batch: number;
  /** the signed feed statement as received */
  readonly statement: Uint8Array;
}

/** Batches of rows, and which rows of them still wait for their keys. */
export class WaitingRows {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** The number of this batch, new or known. With its statement it is open: rows of it wait for keys. */
  open({ origin, chain, epoch, number }: BatchPlace, statement?: Uint8Array): number {
    this.#db.run(
      `INSERT INTO batch(origin, chain, epoch, number, is_open) VALUES(?, ?, ?, ?, ?)
       ON CONFLICT(chain, epoch, number) DO UPDATE SET is_open = excluded.is_open`,
      origin,
      chain,
      epoch,
      number,
      statement ? 1 : 0,
    );
    const row = this.#db.get(
      'SELECT batch FROM batch WHERE chain = ? AND epoch = ? AND number = ?',
      chain,
      epoch,
      number,
    );
    const batch = numberOf(row ?? {}, 'batch');
    if (statement) {
      this.#db.run('INSERT OR IGNORE INTO feed_statement VALUES(?, ?)', batch, statement);
    }
    return batch;
  }

  /** The next open batches of an origin after one, in the order in which they came. */
  openAfter(origin: MemberId, batch: number, limit: number): OpenBatch[] {
    return this.#db
      .all(
        `SELECT batch, bytes FROM batch JOIN feed_statement USING(batch)
         WHERE origin = ? AND batch > ? AND is_open = 1 ORDER BY batch LIMIT ?`,
        origin,
        batch,
        limit,
      )
      .map((row) => ({ batch: numberOf(row, 'batch'), statement: bytesOf(row, 'bytes') }));
  }

  /** Batch and place in its statement of those of these events whose keys are leased. */
  leasedPlaces(
    origin: MemberId,
    ids: readonly EventId[],
  ): { readonly id: EventId; readonly batch: number; readonly place: number }[] {
    const sql = `SELECT nth.i, batch, place FROM nth JOIN event ON origin = ?1 AND id = ${idAt(2)} AND state = 'leased'
      WHERE nth.i < ?3 ORDER BY nth.i`;
    return lookUp(ids, (packed, count) => this.#db.all(sql, origin, packed, count)).map(
      ({ id, row }) => ({ id, batch: numberOf(row, 'batch'), place: numberOf(row, 'place') }),
    );
  }

  /** The signed feed statement of a batch, as received. */
  statementOf(batch: number): Uint8Array | undefined {
    const row = this.#db.get('SELECT bytes FROM feed_statement WHERE batch = ?', batch);
    return row && bytesOf(row, 'bytes');
  }

  /** Which of a batch's events, by their position in `ids`, wait, and which of these may be asked for now. */
  among(
    origin: MemberId,
    { batch, ids }: { readonly batch: number; readonly ids: readonly EventId[] },
    nowMs: UnixMs,
  ): { readonly due: number[]; readonly putOff: number } {
    const rows = this.#db.all(
      `SELECT nth.i, coalesce(ask_after_ms, 0) > ?5 AS is_put_off FROM nth
       JOIN event ON event.origin = ?1 AND event.id = ${idAt(2)} AND batch = ?4 AND state = 'waiting'
       LEFT JOIN put_off ON put_off.origin = ?1 AND put_off.id = event.id
       WHERE nth.i < ?3 ORDER BY nth.i`,
      origin,
      packIds(ids),
      ids.length,
      batch,
      nowMs,
    );
    const due = rows.filter((row) => row['is_put_off'] === 0).map((row) => numberOf(row, 'i'));
    return { due, putOff: rows.length - due.length };
  }

  /** Nothing of it waits any more; its statement stays, as evidence. */
  close(batch: number): void {
    this.#db.run('UPDATE batch SET is_open = 0 WHERE batch = ?', batch);
  }

  /** The origin has no key yet: it is not asked for this one before then. */
  putOff(origin: MemberId, id: EventId, atMs: number): void {
    this.#db.run('INSERT OR REPLACE INTO put_off VALUES(?, ?, ?)', origin, idBytes(id), atMs);
  }

  /** When the next of the keys that were put off may be asked for; undefined when none waits. */
  nextAskMs(origin: MemberId): number | undefined {
    const row = this.#db.get(
      `SELECT min(ask_after_ms) AS at FROM put_off JOIN event USING(origin, id)
       WHERE origin = ? AND state = 'waiting'`,
      origin,
    );
    const at = row?.['at'];
    return typeof at === 'number' ? at : undefined;
  }
}
