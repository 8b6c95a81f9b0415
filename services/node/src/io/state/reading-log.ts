import { type EventId, type UnixMs, idBytes } from '@concordat/common/domain/ids.js';
import { type Sqlite, bytesOf, numberOf, textOf } from '@concordat/common/io/store/sqlite.js';
import { eventIdIn } from './stored-ids.js';

export const READING_LOG_SCHEMA = `
CREATE TABLE IF NOT EXISTS reading(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, origin TEXT NOT NULL, id BLOB NOT NULL,
  purpose TEXT NOT NULL, case_id TEXT NOT NULL, caller TEXT NOT NULL, outcome TEXT NOT NULL);
`;

export interface Reading {
  readonly atMs: UnixMs;
  readonly origin: string;
  readonly id: EventId;
  readonly purpose: string;
  readonly caseId: string;
  readonly caller: string;
  readonly outcome: string;
}

/** Who opened what, when and for which purpose; never content. */
export class ReadingLog {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  add(reading: Reading): void {
    this.#db.run(
      'INSERT INTO reading(at_ms, origin, id, purpose, case_id, caller, outcome) VALUES(?, ?, ?, ?, ?, ?, ?)',
      reading.atMs,
      reading.origin,
      idBytes(reading.id),
      reading.purpose,
      reading.caseId,
      reading.caller,
      reading.outcome,
    );
  }

  newest(limit: number): Reading[] {
    return this.#db.all('SELECT * FROM reading ORDER BY seq DESC LIMIT ?', limit).map((row) => ({
      atMs: numberOf(row, 'at_ms') as UnixMs,
      origin: textOf(row, 'origin'),
      id: eventIdIn(bytesOf(row, 'id')),
      purpose: textOf(row, 'purpose'),
      caseId: textOf(row, 'case_id'),
      caller: textOf(row, 'caller'),
      outcome: textOf(row, 'outcome'),
    }));
  }
}
