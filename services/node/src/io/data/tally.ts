import type { MemberId } from '@concordat/common/domain/ids.js';
import { type Sqlite, numberOf, textOf } from '@concordat/common/io/store/sqlite.js';

/**
 * published: own · waiting: received, keys wanted · readable: keys held · leased: readable while a lease runs, its keys are
 * never stored · refused: the origin gave no key · held: purged, and the law keeps it
 */
export type EventState = 'published' | 'waiting' | 'readable' | 'leased' | 'refused' | 'held';

export const TALLY_SCHEMA = `
CREATE TABLE IF NOT EXISTS tally(
  origin TEXT NOT NULL, state TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(origin, state)) WITHOUT ROWID;
`;

/** How many rows there are, kept beside them in the same transactions: counting a million takes a second each time. */
export class Tally {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  add(origin: MemberId, state: string, n: number): void {
    if (n === 0) return;
    this.#db.run(
      `INSERT INTO tally VALUES(?, ?, ?) ON CONFLICT(origin, state) DO UPDATE SET n = n + excluded.n`,
      origin,
      state,
      n,
    );
  }

  move(
    origin: MemberId,
    { from, to }: { readonly from: EventState; readonly to: EventState },
    n: number,
  ): void {
    this.add(origin, from, -n);
    this.add(origin, to, n);
  }

  all(): { readonly origin: MemberId; readonly state: EventState; readonly n: number }[] {
    return this.#db.all('SELECT origin, state, n FROM tally WHERE n <> 0').map((row) => ({
      origin: textOf(row, 'origin') as MemberId,
      state: textOf(row, 'state') as EventState,
      n: numberOf(row, 'n'),
    }));
  }
}
