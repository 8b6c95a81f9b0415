import { type Sqlite, textOf } from '@concordat/common/io/store/sqlite.js';

export const SCOPE_SCHEMA = `
CREATE TABLE IF NOT EXISTS scope_standing(what TEXT PRIMARY KEY, standing TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS scope_waiting(
  recipient TEXT NOT NULL, sections TEXT NOT NULL, events INTEGER NOT NULL, PRIMARY KEY(recipient, sections)) WITHOUT ROWID;
`;

/** Names of sections hold no blanks. */
const BETWEEN = ' ';

/** `done`: looked through, nothing left to order · `waiting`: for a person's yes · `confirmed`: there is one. */
export type StandingKind = 'done' | 'waiting' | 'confirmed';

/** So many events that one recipient would lose, or these sections of them. */
export interface LossCount {
  readonly recipient: string;
  /** empty: whole events */
  readonly sections: readonly string[];
  readonly events: number;
}

/** How far the rule has come that takes back what left scope. */
export class ScopeRows {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** '' for none */
  standing(what: StandingKind): string {
    const row = this.#db.get('SELECT standing FROM scope_standing WHERE what = ?', what);
    return row ? textOf(row, 'standing') : '';
  }

  set(what: StandingKind, standing: string): void {
    this.#db.run('INSERT OR REPLACE INTO scope_standing VALUES(?, ?)', what, standing);
  }

  /** '' when nothing waits any more */
  wait(standing: string, counts: readonly LossCount[]): void {
    this.set('waiting', standing);
    this.#db.run('DELETE FROM scope_waiting');
    for (const { recipient, sections, events } of counts) {
      const names = sections.join(BETWEEN);
      this.#db.run('INSERT INTO scope_waiting VALUES(?, ?, ?)', recipient, names, events);
    }
  }

  waiting(): LossCount[] {
    return this.#db
      .all('SELECT recipient, sections, events FROM scope_waiting ORDER BY recipient, sections')
      .map((row) => ({
        recipient: textOf(row, 'recipient'),
        sections: textOf(row, 'sections').split(BETWEEN).filter(Boolean),
        events: Number(row['events']),
      }));
  }
}
