import { type Row, type Sqlite, numberOf } from '@concordat/common/io/store/sqlite.js';
import type { KekFiles } from '../keks.js';

/** `retiring`: its key is going to be destroyed, so nothing is wrapped under it any more. */
export const GENERATIONS_SCHEMA = `
CREATE TABLE IF NOT EXISTS generation(
  generation INTEGER PRIMARY KEY, bucket INTEGER NOT NULL, rows INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS retiring(generation INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS newest_generation(one INTEGER PRIMARY KEY CHECK (one = 1), generation INTEGER NOT NULL);
`;

/** Events whose keys are wrapped under one key-encryption key. */
const GENERATION_ROWS_MAX = 65_536;

/** Which key-encryption key wraps what: one for at most 65,536 events that are deleted in the same weeks. */
export class Generations {
  readonly #db: Sqlite;
  readonly #keks: KekFiles;

  constructor(db: Sqlite, keks: KekFiles) {
    this.#db = db;
    this.#keks = keks;
  }

  /** The generation for the keys of this many more events of one bucket. Call inside the commit that wraps them. */
  forEvents(bucket: number, events: number): number {
    const open = this.#db.get(
      `SELECT generation FROM generation
       WHERE bucket = ? AND rows <= ? AND generation NOT IN (SELECT generation FROM retiring)
       ORDER BY generation DESC LIMIT 1`,
      bucket,
      GENERATION_ROWS_MAX - events,
    );
    const generation = open ? numberIn(open) : this.#open(bucket);
    this.#db.run('UPDATE generation SET rows = rows + ? WHERE generation = ?', events, generation);
    return generation;
  }

  all(): number[] {
    return this.#db.all('SELECT generation FROM generation').map(numberIn);
  }

  bucketOf(generation: number): number {
    const row = this.#db.get('SELECT bucket FROM generation WHERE generation = ?', generation);
    return numberOf(row ?? {}, 'bucket');
  }

  /** From now on nothing new is wrapped under the key of this generation. */
  retire(generation: number): void {
    this.#db.run('INSERT OR IGNORE INTO retiring VALUES(?)', generation);
  }

  retiring(): number[] {
    return this.#db.all('SELECT generation FROM retiring ORDER BY generation').map(numberIn);
  }

  /** Nothing is wrapped under its key any more. */
  drop(generation: number): void {
    this.#db.run('DELETE FROM generation WHERE generation = ?', generation);
    this.#db.run('DELETE FROM retiring WHERE generation = ?', generation);
  }

  /** A number that this vault never had, and no file either: a signed statement may have named it as destroyed. */
  #open(bucket: number): number {
    const row = this.#db.get(
      `SELECT max((SELECT coalesce(max(generation), 0) FROM generation),
                  (SELECT coalesce(max(generation), 0) FROM newest_generation)) AS generation`,
    );
    const generation = Math.max(numberIn(row ?? {}), ...this.#keks.generations()) + 1;
    this.#keks.create(generation);
    this.#db.run('INSERT INTO generation VALUES(?, ?, 0)', generation, bucket);
    this.#db.run('INSERT OR REPLACE INTO newest_generation VALUES(1, ?)', generation);
    return generation;
  }
}

function numberIn(row: Row): number {
  return numberOf(row, 'generation');
}
