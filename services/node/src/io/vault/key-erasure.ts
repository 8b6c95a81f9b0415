import { bytesKey, concatBytes } from '@concordat/common/domain/bytes.js';
import {
  type EventId,
  type MemberId,
  type OrderId,
  idBytes,
} from '@concordat/common/domain/ids.js';
import type { MediaErased } from '@concordat/common/domain/records.js';
import { grouped, idAt, packIds, pieces } from '@concordat/common/io/store/packed.js';
import {
  type Row,
  type Sqlite,
  bytesOf,
  numberOf,
  textOf,
} from '@concordat/common/io/store/sqlite.js';
import type { KekFiles } from '../keks.js';
import type { Generations } from './generations.js';

/**
 * `touched`: keys that an order took back were wrapped under this generation's key. `destroyed`: nothing is wrapped under
 * it any more, its file is gone or goes next, and the origin has not been told. An order of zeros: the retention ended.
 */
export const KEY_ERASURE_SCHEMA = `
CREATE TABLE IF NOT EXISTS touched(
  generation INTEGER NOT NULL, origin TEXT NOT NULL, order_id BLOB NOT NULL,
  PRIMARY KEY(generation, origin, order_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS destroyed(
  generation INTEGER NOT NULL, origin TEXT NOT NULL, order_id BLOB NOT NULL,
  PRIMARY KEY(generation, origin, order_id)) WITHOUT ROWID;
`;

const NO_ORDER = new Uint8Array(16);

/** An event whose keys go because an order took it back; null: its retention is over. */
export interface TakenBack {
  readonly origin: MemberId;
  readonly id: EventId;
  readonly orderId: OrderId | null;
}

/** Where an event's wrapped keys stand. */
interface Place {
  readonly origin: MemberId;
  readonly id: Uint8Array;
}

/** An event's keys as they are wrapped now. */
export interface WrappedRow extends Place {
  readonly sections: string;
  readonly generation: number;
  readonly wrapped: Uint8Array;
}

/**
 * Destroys the key-encryption keys under which purged keys were wrapped, after what is left is wrapped under others: what
 * a disk kept of a deleted row opens to nobody any more. In steps that each commit; between any two of them every key that
 * is left can be read.
 */
export class KeyErasure {
  readonly level: MediaErased['level'];
  readonly #db: Sqlite;
  readonly #keks: KekFiles;
  readonly #generations: Generations;
  readonly #rewrap: (row: WrappedRow, generation: number) => Uint8Array;

  constructor(
    db: Sqlite,
    parts: {
      readonly keks: KekFiles;
      readonly generations: Generations;
      /** the same keys, wrapped under the key of another generation */
      readonly rewrap: (row: WrappedRow, generation: number) => Uint8Array;
    },
  ) {
    this.#db = db;
    this.level = parts.keks.level;
    this.#keks = parts.keks;
    this.#generations = parts.generations;
    this.#rewrap = parts.rewrap;
  }

  /** Call before these keys are deleted, in the same commit. */
  touch(events: readonly TakenBack[]): void {
    for (const [origin, some] of grouped(events, (one) => one.origin)) {
      for (const part of pieces(some)) {
        this.#db.run(
          `INSERT OR IGNORE INTO touched SELECT DISTINCT generation, ?1, ${idAt(4)}
           FROM nth CROSS JOIN event_key ON origin = ?1 AND id = ${idAt(2)} WHERE nth.i < ?3`,
          origin,
          packIds(part.map(({ id }) => id)),
          part.length,
          concatBytes(...part.map(({ orderId }) => orderBytes(orderId))),
        );
      }
    }
  }

  /**
   * Closes every generation that was touched by now; what a crash left half done is in it.
   *
   * @returns how many keys are to be destroyed, or were and are not told yet
   */
  begin(): number {
    return this.#db.transaction(() => {
      const touched = this.#db.all('SELECT DISTINCT generation FROM touched');
      for (const row of touched) this.#generations.retire(numberOf(row, 'generation'));
      return this.#generations.retiring().length + this.#unfinishedFiles().length;
    });
  }

  /**
   * Looks at the next events in order, and wraps the keys of those anew whose generation is retiring; one commit.
   *
   * @returns where it came to, undefined at the end, and how many it wrapped
   */
  step(
    after: Place | undefined,
    limit: number,
  ): { readonly last: Place | undefined; readonly moved: number } {
    return this.#db.transaction(() => {
      const retiring = new Set(this.#generations.retiring());
      const rows = this.#db
        .all(
          `SELECT origin, id, sections, generation, wrapped FROM event_key
           WHERE (origin, id) > (?, ?) ORDER BY origin, id LIMIT ?`,
          after?.origin ?? '',
          after?.id ?? new Uint8Array(),
          limit,
        )
        .map(wrappedIn);
      const moving = rows.filter(({ generation }) => retiring.has(generation));
      for (const [from, some] of grouped(moving, ({ generation }) => generation)) {
        this.#move(some, this.#generations.bucketOf(from));
      }
      return { last: rows.at(-1), moved: moving.length };
    });
  }

  #move(rows: readonly WrappedRow[], bucket: number): void {
    const generation = this.#generations.forEvents(bucket, rows.length);
    for (const row of rows) {
      this.#db.run(
        'UPDATE event_key SET generation = ?, wrapped = ? WHERE origin = ? AND id = ?',
        ...[generation, this.#rewrap(row, generation), row.origin, row.id],
      );
    }
  }

  /**
   * Destroys the keys of generations that are retiring, once `step` went from beginning to end and found none of theirs.
   * First a commit says so: from then on nobody asks for them, and a crash leaves only files to destroy.
   */
  finish(): void {
    this.#db.transaction(() => {
      for (const generation of this.#generations.retiring()) {
        this.#db.run(
          'INSERT OR IGNORE INTO destroyed SELECT * FROM touched WHERE generation = ?',
          generation,
        );
        this.#db.run('DELETE FROM touched WHERE generation = ?', generation);
        this.#generations.drop(generation);
      }
    });
    for (const generation of this.#unfinishedFiles()) this.#keks.destroy(generation);
  }

  /** Of these orders of an origin: the generations under whose keys something of theirs was wrapped, and that are gone. */
  destroyedFor(origin: MemberId, orders: ReadonlySet<OrderId>): number[] {
    const wanted = new Set(
      [...orders].map((id) => bytesKey(idBytes(id))).concat(bytesKey(NO_ORDER)),
    );
    const rows = this.#db.all(
      'SELECT generation, order_id FROM destroyed WHERE origin = ?',
      origin,
    );
    const found = rows
      .filter((row) => wanted.has(bytesKey(bytesOf(row, 'order_id'))))
      .map((row) => numberOf(row, 'generation'));
    return [...new Set(found)].sort((a, b) => a - b);
  }

  /** The origin is told of these. */
  forget(origin: MemberId, orders: ReadonlySet<OrderId>): void {
    this.#db.transaction(() => {
      for (const order of [...[...orders].map((id) => idBytes(id)), NO_ORDER]) {
        this.#db.run('DELETE FROM destroyed WHERE origin = ? AND order_id = ?', origin, order);
      }
    });
  }

  /** Keys that nothing in this vault is wrapped under: it was lost, or put back from an earlier copy. */
  strayKeys(): number[] {
    const known = new Set([...this.#generations.all(), ...this.#destroyed()]);
    return this.#keks.generations().filter((generation) => !known.has(generation));
  }

  destroyStray(generations: readonly number[]): void {
    const stray = new Set(this.strayKeys());
    for (const generation of generations) {
      if (stray.has(generation)) this.#keks.destroy(generation);
    }
  }

  #destroyed(): number[] {
    const rows = this.#db.all('SELECT DISTINCT generation FROM destroyed');
    return rows.map((row) => numberOf(row, 'generation'));
  }

  #unfinishedFiles(): number[] {
    return this.#destroyed().filter((generation) => this.#keks.has(generation));
  }
}

function wrappedIn(row: Row): WrappedRow {
  return {
    origin: textOf(row, 'origin') as MemberId,
    id: bytesOf(row, 'id'),
    sections: textOf(row, 'sections'),
    generation: numberOf(row, 'generation'),
    wrapped: bytesOf(row, 'wrapped'),
  };
}

function orderBytes(orderId: OrderId | null): Uint8Array {
  return orderId === null ? NO_ORDER : idBytes(orderId);
}
