import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { lockDataDir } from './data-dir.js';
import { Sqlite, bytesOf, numberOf, textOf } from './sqlite.js';

let dir: string;
let db: Sqlite;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sqlite-'));
  db = new Sqlite(join(dir, 'a.db'), 'CREATE TABLE IF NOT EXISTS t(k TEXT PRIMARY KEY, v BLOB)');
});
afterEach(() => {
  db.close();
  rmSync(dir, { recursive: true });
});

const put = (key: string, value: Uint8Array | string | number | null = null) =>
  db.run('INSERT INTO t VALUES(?, ?)', key, value);
const keys = () => db.all('SELECT k FROM t ORDER BY k').map((row) => textOf(row, 'k'));

test('bytes come back as bytes, also from a view of a larger buffer', () => {
  put('a', Uint8Array.of(9, 1, 2, 3, 9).subarray(1, 4));
  const row = db.get('SELECT v FROM t');
  expect(bytesOf(row ?? {}, 'v')).toEqual(Uint8Array.of(1, 2, 3));
});

test('a column of another type is a mistake of ours', () => {
  put('a', 7);
  const row = db.get('SELECT * FROM t') ?? {};
  expect(numberOf(row, 'v')).toBe(7);
  expect(() => textOf(row, 'v')).toThrow(TypeError);
  expect(() => bytesOf(row, 'v')).toThrow(TypeError);
  expect(() => numberOf(row, 'k')).toThrow(TypeError);
  expect(() => numberOf(row, 'nothing')).toThrow(TypeError);
});

describe('a transaction', () => {
  test('is followed by what waits for its commit, and only if there is one', () => {
    const done: string[] = [];
    db.afterCommit(() => done.push('outside'));
    db.transaction(() => {
      db.transaction(() =>
        db.afterCommit(() => done.push(`inside, ${String(keys().length)} rows`)),
      );
      put('a');
    });
    const failing = () =>
      db.transaction(() => {
        db.afterCommit(() => done.push('never'));
        throw new Error('disk full');
      });
    expect(failing).toThrow('disk full');
    db.transaction(() => put('b'));
    expect(done).toEqual(['outside', 'inside, 1 rows']);
  });

  test('that throws leaves nothing behind, and the next one works', () => {
    const failing = () =>
      db.transaction(() => {
        put('a');
        throw new Error('disk full');
      });
    expect(failing).toThrow('disk full');
    expect(keys()).toEqual([]);
    db.transaction(() => put('b'));
    expect(keys()).toEqual(['b']);
  });

  test('within another one commits with that one, or not at all', () => {
    const failing = () =>
      db.transaction(() => {
        db.transaction(() => put('a'));
        throw new Error('no');
      });
    expect(failing).toThrow('no');
    expect(keys()).toEqual([]);
    db.transaction(() => {
      db.transaction(() => put('a'));
      put('b');
    });
    expect(keys()).toEqual(['a', 'b']);
  });

  test('that was committed is there for the next opener', () => {
    db.transaction(() => put('a'));
    const other = new Sqlite(join(dir, 'a.db'), '');
    expect(other.all('SELECT k FROM t')).toEqual([{ k: 'a' }]);
    other.close();
  });
});

test('what was deleted is in neither file nor journal once the journal is emptied', () => {
  const canary = Buffer.from('CANARY-4711-'.repeat(40));
  const files = () => Buffer.concat(readdirSync(dir).map((name) => readFileSync(join(dir, name))));
  for (let n = 0; n < 50; n += 1) put(`k${String(n)}`, canary);
  expect(files().includes('CANARY-4711')).toBe(true);
  db.run('DELETE FROM t');
  db.truncateJournal();
  expect(files().includes('CANARY-4711')).toBe(false);
});

describe('a data directory', () => {
  test('belongs to one at a time, and is free again after its release', () => {
    const own = join(dir, 'data');
    const lock = lockDataDir(own);
    expect(() => lockDataDir(own)).toThrow(expect.objectContaining({ code: 'DATA_DIR_LOCKED' }));
    lock.release();
    lockDataDir(own).release();
  });
});
