import { type EventId, type MemberId, eventIdOf, idBytes } from '@concordat/common/domain/ids.js';
import { idsIn, packIds, pieces } from '@concordat/common/io/store/packed.js';
import { type Sqlite, bytesOf, numberOf, textOf } from '@concordat/common/io/store/sqlite.js';
import type { EventState, Tally } from './tally.js';

interface StoredRow {
  readonly origin: MemberId;
  readonly id: EventId;
  readonly state: EventState;
}

/** What a start does with rows after a store was lost. */
export class RowRepair {
  readonly #db: Sqlite;
  readonly #tally: Tally;

  constructor(db: Sqlite, tally: Tally) {
    this.#db = db;
    this.#tally = tally;
  }

  /** The next rows in order of (origin, id), without their bodies. */
  after(last: Pick<StoredRow, 'origin' | 'id'> | undefined, limit: number): StoredRow[] {
    return this.#db
      .all(
        'SELECT origin, id, state FROM event WHERE (origin, id) > (?, ?) ORDER BY origin, id LIMIT ?',
        last?.origin ?? '',
        last ? idBytes(last.id) : new Uint8Array(),
        limit,
      )
      .map((row) => {
        const id = eventIdOf(bytesOf(row, 'id'));
        if (!id.ok) throw new TypeError('an id in the data store is not a UUIDv7');
        return {
          origin: textOf(row, 'origin') as MemberId,
          id: id.value,
          state: textOf(row, 'state') as EventState,
        };
      });
  }

  /** The highest block number of each chain that this origin has, or had, rows of. */
  newestBlocks(origin: MemberId): { readonly chain: string; readonly number: number }[] {
    const sql = 'SELECT chain, max(number) AS number FROM batch WHERE origin = ? GROUP BY chain';
    return this.#db
      .all(sql, origin)
      .map((row) => ({ chain: textOf(row, 'chain'), number: numberOf(row, 'number') }));
  }

  /** Their keys are gone, so they wait for them again; rows that are not readable stay as they are. */
  backToWaiting(origin: MemberId, ids: readonly EventId[]): void {
    this.#db.transaction(() => {
      for (const part of pieces(ids)) this.#backToWaiting(origin, packIds(part), part.length);
    });
  }

  #backToWaiting(origin: MemberId, ids: Uint8Array, count: number): void {
    const these = `origin = ?1 AND state = 'readable' AND id IN ${idsIn(2, 3)}`;
    this.#db.run(
      `UPDATE batch SET is_open = 1 WHERE batch IN (SELECT batch FROM event WHERE ${these})`,
      origin,
      ids,
      count,
    );
    const sql = `UPDATE event SET state = 'waiting' WHERE ${these}`;
    const changed = this.#db.run(sql, origin, ids, count);
    this.#tally.move(origin, { from: 'readable', to: 'waiting' }, changed);
  }
}
