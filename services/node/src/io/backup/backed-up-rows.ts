import { type EventId, type MemberId, eventIdOf, idBytes } from '@concordat/common/domain/ids.js';
import type { Head } from '@concordat/common/domain/chain.js';
import {
  type Row,
  type Sqlite,
  bytesOf,
  numberOf,
  textOf,
} from '@concordat/common/io/store/sqlite.js';
import { BATCH_PLACES } from '../data-store.js';
import { type EventBody, decodeBody } from '../data/body.js';
import type { EventState } from '../data/tally.js';
import type { BatchPlace } from '../data/waiting-rows.js';

export interface BackedUpRow {
  readonly origin: MemberId;
  readonly id: EventId;
  readonly state: EventState;
  readonly batch: number;
  readonly place: number;
  readonly body: EventBody;
  /** why the origin gave no key, of a row in state `refused` */
  readonly refusal: string;
}

/** A block or feed statement that rows of a backup came with. */
export interface BackedUpBatch extends BatchPlace {
  /** the signed feed statement; undefined for own blocks */
  readonly statement: Uint8Array | undefined;
}

/** Reads a backup, and takes over what is no event. */
export class BackedUpRows {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** The next rows in order of (origin, id). */
  after(last: Pick<BackedUpRow, 'origin' | 'id'> | undefined, limit: number): BackedUpRow[] {
    return this.#db
      .all(
        `SELECT origin, id, state, batch, place, bytes, coalesce(reason, '') AS reason
         FROM event JOIN body ON row = batch * ${String(BATCH_PLACES)} + place LEFT JOIN refusal USING(origin, id)
         WHERE (origin, id) > (?, ?) ORDER BY origin, id LIMIT ?`,
        last?.origin ?? '',
        last ? idBytes(last.id) : new Uint8Array(),
        limit,
      )
      .map(backedUpRow);
  }

  batch(batch: number): BackedUpBatch | undefined {
    const row = this.#db.get(
      'SELECT origin, chain, epoch, number, bytes FROM batch LEFT JOIN feed_statement USING(batch) WHERE batch = ?',
      batch,
    );
    const statement = row?.['bytes'];
    return (
      row && {
        origin: textOf(row, 'origin') as MemberId,
        chain: textOf(row, 'chain'),
        epoch: numberOf(row, 'epoch'),
        number: numberOf(row, 'number'),
        statement: statement instanceof Uint8Array ? statement : undefined,
      }
    );
  }

  /** Evidence for keys that were received. */
  copyKeyRecords(to: Sqlite, limit: number): number {
    const after =
      'WHERE (origin, epoch, number) > (?, ?, ?) ORDER BY origin, epoch, number LIMIT ?';
    let [copied, last]: [number, Row | undefined] = [0, undefined];
    for (;;) {
      const place = last
        ? [textOf(last, 'origin'), numberOf(last, 'epoch'), numberOf(last, 'number')]
        : ['', 0, 0];
      const page = this.#db.all(`SELECT * FROM key_record ${after}`, ...place, limit);
      last = page.at(-1);
      if (!last) return copied;
      to.transaction(() => {
        for (const row of page) copied += keepKeyRecord(to, row);
      });
    }
  }

  /** Makes a chain go on where the backup stood; what of it was seen stays known. */
  copyPlace(chain: string, head: Head, to: Sqlite): void {
    const [topic, lane] = [chain.slice(0, chain.lastIndexOf('/')), Number(chain.split('/').at(-1))];
    to.run(
      'INSERT OR REPLACE INTO followed VALUES(?, ?, ?, ?)',
      chain,
      head.epoch,
      head.number,
      head.hash,
    );
    to.run('DELETE FROM gap WHERE chain = ?', chain);
    for (const row of this.#db.all('SELECT epoch, number, hash FROM seen WHERE chain = ?', chain)) {
      to.run(
        'INSERT OR IGNORE INTO seen VALUES(?, ?, ?, ?)',
        chain,
        numberOf(row, 'epoch'),
        numberOf(row, 'number'),
        bytesOf(row, 'hash'),
      );
    }
    const position = this.#db.get(
      'SELECT next FROM position WHERE topic = ? AND lane = ?',
      topic,
      lane,
    );
    if (!position) return;
    to.run(
      'INSERT OR REPLACE INTO position VALUES(?, ?, ?)',
      topic,
      lane,
      textOf(position, 'next'),
    );
  }
}

function keepKeyRecord(to: Sqlite, row: Row): number {
  return to.run(
    'INSERT OR IGNORE INTO key_record VALUES(?, ?, ?, ?)',
    textOf(row, 'origin'),
    numberOf(row, 'epoch'),
    numberOf(row, 'number'),
    bytesOf(row, 'bytes'),
  );
}

function backedUpRow(row: Row): BackedUpRow {
  const id = eventIdOf(bytesOf(row, 'id'));
  if (!id.ok) throw new TypeError('an id in the backup is not a UUIDv7');
  return {
    origin: textOf(row, 'origin') as MemberId,
    id: id.value,
    state: textOf(row, 'state') as EventState,
    batch: numberOf(row, 'batch'),
    place: numberOf(row, 'place'),
    body: decodeBody(bytesOf(row, 'bytes')),
    refusal: textOf(row, 'reason'),
  };
}
