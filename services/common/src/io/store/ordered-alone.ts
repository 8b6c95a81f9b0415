import type { UnixMs } from '../../domain/ids.js';
import { type Sqlite, numberOf } from './sqlite.js';

export const ORDERED_ALONE_SCHEMA = `
CREATE TABLE IF NOT EXISTS ordered_alone(
  person TEXT NOT NULL, minute INTEGER NOT NULL, events INTEGER NOT NULL, PRIMARY KEY(person, minute)) WITHOUT ROWID;
`;

/** What one person orders alone counts this long. */
export const ALONE_MS = 24 * 3_600_000;
const MINUTE_MS = 60_000;

/** How many events each person took back with nobody else, minute by minute, so that no number of orders makes it slow. */
export class OrderedAlone {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** @param events fewer than 0: they were not taken back after all */
  add(person: string, atMs: UnixMs, events: number): void {
    this.#db.run(
      `INSERT INTO ordered_alone VALUES(?, ?, ?)
       ON CONFLICT(person, minute) DO UPDATE SET events = events + excluded.events`,
      person,
      minuteOf(atMs),
      events,
    );
  }

  /** In the 24 hours before now, to the minute and rather too many; what the clock has not reached yet counts too. */
  count(person: string, nowMs: UnixMs): number {
    const row = this.#db.get(
      'SELECT coalesce(sum(events), 0) AS n FROM ordered_alone WHERE person = ? AND minute >= ?',
      person,
      minuteOf(nowMs - ALONE_MS),
    );
    return numberOf(row ?? {}, 'n');
  }
}

function minuteOf(ms: number): number {
  return Math.floor(ms / MINUTE_MS);
}
