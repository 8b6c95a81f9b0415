import { rmSync } from 'node:fs';
import type { Sqlite } from '@concordat/common/io/store/sqlite.js';
import { type Row, bytesOf, numberOf, textOf } from '@concordat/common/io/store/sqlite.js';
import { BATCH_PLACES, DataStore } from '../data-store.js';

/** Rows of one statement: the node, if it runs, empties its journal between two of them. */
const PAGE = 1_000;

export interface Copied {
  readonly heads: ReturnType<DataStore['chains']['followedHeads']>;
  readonly counts: {
    readonly events: number;
    readonly feedStatements: number;
    readonly keyRecords: number;
  };
}

/**
 * Copies rows, ciphertexts, feed statements, key records, the places in the feeds the names of the national systems
 * and what own events come from into a new store; no quarantine, no outbox, no counters. The places come first: whatever the feeds had brought up to them,
 * and is still there when it is its turn, is in the copy, also while the node works on.
 *
 * @param from file of a data store, in use or not
 * @param to an empty file, or none
 */
export function copyData(from: string, to: string): Copied {
  new DataStore(to).close();
  const { db } = new DataStore(from);
  try {
    copyAll(db, to);
  } finally {
    db.close();
  }
  const copy = new DataStore(to);
  try {
    const heads = copy.chains.followedHeads();
    const counted = ['event', 'feed_statement', 'key_record'].map((table) => count(copy.db, table));
    const [events = 0, feedStatements = 0, keyRecords = 0] = counted;
    // one file, complete: closing alone leaves it in the journal
    copy.settle();
    return { heads, counts: { events, feedStatements, keyRecords } };
  } finally {
    copy.close();
    for (const end of ['-wal', '-shm']) rmSync(`${to}${end}`, { force: true });
  }
}

function copyAll(db: Sqlite, to: string): void {
  db.run('ATTACH DATABASE ? AS backup', to);
  // one statement, one state of the store
  db.run('INSERT INTO backup.followed SELECT * FROM main.followed');
  for (const table of ['seen', 'position', 'known_system', 'derivation']) copyTable(db, table);
  copyEvents(db);
  db.run(
    'INSERT INTO backup.refusal SELECT r.* FROM main.refusal r JOIN backup.event USING(origin, id)',
  );
  // batches stay for ever: each that a copied row stands in is still there
  for (const table of ['batch', 'feed_statement', 'key_record']) copyTable(db, table);
  db.run(
    'INSERT INTO backup.tally SELECT origin, state, count(*) FROM backup.event GROUP BY origin, state',
  );
}

function copyTable(db: Sqlite, table: string): void {
  db.run(`INSERT INTO backup.${table} SELECT * FROM main.${table}`);
}

function copyEvents(db: Sqlite): void {
  for (let last: Row | undefined; ;) {
    const after = [
      last ? textOf(last, 'origin') : '',
      last ? bytesOf(last, 'id') : new Uint8Array(),
    ];
    const copied = db.run(
      `INSERT INTO backup.event SELECT * FROM main.event WHERE (origin, id) > (?, ?)
       ORDER BY origin, id LIMIT ?`,
      ...after,
      PAGE,
    );
    if (copied === 0) return;
    db.run(
      `INSERT INTO backup.body SELECT * FROM main.body WHERE row IN (
         SELECT batch * ${String(BATCH_PLACES)} + place FROM backup.event WHERE (origin, id) > (?, ?))`,
      ...after,
    );
    last = db.get('SELECT origin, id FROM backup.event ORDER BY origin DESC, id DESC LIMIT 1');
  }
}

function count(db: Sqlite, table: string): number {
  return numberOf(db.get(`SELECT count(*) AS n FROM ${table}`) ?? {}, 'n');
}
