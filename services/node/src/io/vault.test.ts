import { mkdtempSync, readFileSync, readdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { idBytes } from '@concordat/common/domain/ids.js';
import { asUnixMs } from '@concordat/common/domain/ids.js';
import { Sqlite, bytesOf } from '@concordat/common/io/store/sqlite.js';
import { systemRandom } from '@concordat/common/io/system-ports.js';
import { bytesOf as sameBytes, memberOf } from '../../../../test/support/federation.js';
import { eventId } from '../../../../test/support/origin.js';
import { Vault } from './vault.js';

const un = memberOf('un');
const NOW = asUnixMs(1_700_000_000_000);
const MONTH_MS = 30 * 24 * 3_600_000;

let dir: string;
let vault: Vault;
const file = () => join(dir, 'vault.db');
const open = () => new Vault(file(), join(dir, 'keks'), systemRandom);
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'vault-'));
  vault = open();
});
afterEach(() => {
  vault.close();
  rmSync(dir, { recursive: true });
});

const key = (n: number, section = 'identity') => sameBytes(`key ${String(n)} ${section}`);
const rowOf = (n: number, deleteByMs = NOW) => ({
  ...{ origin: un, id: eventId(n), deleteByMs },
  keys: new Map(['identity', 'remarks'].map((section) => [section, key(n, section)])),
});
const put = (...numbers: readonly number[]) => vault.put(numbers.map((n) => rowOf(n)));

test('keys come back, also after a restart', () => {
  put(1, 2);
  vault.close();
  vault = open();
  expect(vault.get(un, eventId(1)).get('identity')).toEqual(key(1));
  expect(vault.get(un, eventId(2)).get('remarks')).toEqual(key(2, 'remarks'));
  expect(vault.get(memberOf('de'), eventId(1)).size).toBe(0);
  expect(vault.sectionsHeld(un, eventId(1))).toEqual(['identity', 'remarks']);
});

test('a later key of the same event takes the place of a failed attempt’s', () => {
  put(1);
  vault.put([{ ...rowOf(1), keys: new Map([['identity', key(7)]]) }]);
  expect(vault.get(un, eventId(1)).get('identity')).toEqual(key(7));
});

test('no file holds a key in plain', () => {
  put(1);
  const files = readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
  expect(files.length).toBeGreaterThan(1);
  expect(Buffer.concat(files).includes(Buffer.from(key(1)))).toBe(false);
});

test('a deleted key is in neither file nor journal once settled, not even wrapped', () => {
  put(...Array.from({ length: 60 }, (_, n) => n));
  vault.settle();
  const raw = new Sqlite(file(), '');
  const wrapped = raw
    .all('SELECT wrapped FROM event_key WHERE id = ?', idBytes(eventId(7)))
    .map((row) => Buffer.from(bytesOf(row, 'wrapped')));
  raw.close();
  const found = () => {
    const bytes = Buffer.concat(
      readdirSync(dir)
        .filter((name) => name.startsWith('vault.db'))
        .map((name) => readFileSync(join(dir, name))),
    );
    return wrapped.filter((one) => bytes.includes(one)).length;
  };
  expect(found()).toBe(1);
  vault.delete([{ origin: un, id: eventId(7) }]);
  vault.settle();
  expect(found()).toBe(0);
  expect(vault.get(un, eventId(8)).get('identity')).toEqual(key(8));
});

describe('a wrapped key', () => {
  const rewrite = (
    sql: string,
    ...params: Parameters<Sqlite['run']> extends [string, ...infer P] ? P : never
  ) => {
    const raw = new Sqlite(file(), '');
    expect(raw.run(sql, ...params)).toBe(1);
    raw.close();
  };

  test('of another event is refused', () => {
    put(1, 2);
    rewrite(
      'UPDATE event_key SET wrapped = (SELECT wrapped FROM event_key WHERE id = ?) WHERE id = ?',
      idBytes(eventId(2)),
      idBytes(eventId(1)),
    );
    expect(() => vault.get(un, eventId(1))).toThrow();
    expect(vault.get(un, eventId(2)).get('identity')).toEqual(key(2));
  });

  test('of another section is refused', () => {
    put(1);
    rewrite("UPDATE event_key SET sections = 'remarks identity'");
    expect(() => vault.get(un, eventId(1))).toThrow();
  });

  test('under a key that is gone is gone', () => {
    put(1);
    vault.close();
    for (const name of readdirSync(join(dir, 'keks'))) unlinkSync(join(dir, 'keks', name));
    vault = open();
    expect(() => vault.get(un, eventId(1))).toThrow();
  });
});

test('keys that are deleted in other months are under other keys', () => {
  vault.put([rowOf(1), rowOf(2, asUnixMs(NOW + 3 * MONTH_MS)), rowOf(3)]);
  expect(readdirSync(join(dir, 'keks')).sort()).toEqual(['generation-1.key', 'generation-2.key']);
});

test('half a key file, as a crash leaves it, is no obstacle', () => {
  writeFileSync(join(dir, 'keks', 'generation-1.key.new'), 'half');
  put(1);
  expect(vault.get(un, eventId(1)).get('identity')).toEqual(key(1));
  expect(readdirSync(join(dir, 'keks'))).toEqual(['generation-1.key']);
});

test('events are gone through page by page, each once', () => {
  put(3, 1, 2);
  const first = vault.eventsAfter(undefined, 2);
  const rest = vault.eventsAfter(first.at(-1), 2);
  expect([...first, ...rest].map(({ id }) => id)).toEqual([1, 2, 3].map(eventId));
  expect(vault.countEvents()).toBe(3);
});

describe('the index of subjects', () => {
  const [john, jane] = ['name:doe john', 'name:doe jane'];
  const about = (subjects: readonly string[], ...numbers: readonly number[]) => [
    ...vault.about(un, numbers.map(eventId), subjects),
  ];
  const putAbout = (n: number, subjects: readonly string[]) =>
    vault.put([{ ...rowOf(n), subjects }]);

  test('finds whom an event is about, also after a restart, and nobody else', () => {
    vault.put([
      { ...rowOf(1), subjects: [john, jane] },
      { ...rowOf(2), subjects: [jane] },
      { ...rowOf(3), subjects: [] },
    ]);
    vault.close();
    vault = open();
    expect(about([john], 1, 2, 3)).toEqual([eventId(1)]);
    expect(about([john, jane], 1, 2, 3)).toEqual([eventId(1), eventId(2)]);
    expect(about([jane], 2)).toEqual([eventId(2)]);
    expect(about(['name:doe'], 1, 2, 3)).toEqual([]);
  });

  test('forgets an event with its keys, and no other member’s event of the same id', () => {
    putAbout(1, [john]);
    vault.delete([{ origin: memberOf('de'), id: eventId(1) }]);
    expect(about([john], 1)).toEqual([eventId(1)]);
    vault.delete([{ origin: un, id: eventId(1) }]);
    expect(about([john], 1)).toEqual([]);
  });

  test('holds what the last attempt said, not a failed one before', () => {
    putAbout(1, [john]);
    putAbout(1, [jane]);
    expect([about([john], 1), about([jane], 1)]).toEqual([[], [eventId(1)]]);
    putAbout(1, []);
    expect(about([jane], 1)).toEqual([]);
  });

  test('leaves no subject on disk, and after a deletion no tag', () => {
    putAbout(1, [john]);
    const tag = () => {
      const db = new Sqlite(file(), '');
      const row = db.get('SELECT tags FROM event_subject');
      db.close();
      return row && Buffer.from(bytesOf(row, 'tags'));
    };
    const kept = tag();
    if (!kept) throw new Error('expected a tag');
    const disk = () =>
      Buffer.concat(
        readdirSync(dir, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => readFileSync(join(entry.parentPath, entry.name))),
      );
    expect(kept).toHaveLength(16);
    expect(disk().includes('doe')).toBe(false);
    expect(disk().includes(kept)).toBe(true);
    vault.delete([{ origin: un, id: eventId(1) }]);
    vault.settle();
    expect(disk().includes(kept)).toBe(false);
  });

  test('of another node has other tags for the same subject', () => {
    putAbout(1, [john]);
    vault.close();
    unlinkSync(join(dir, 'keks', 'subjects.key'));
    vault = open();
    expect(about([john], 1)).toEqual([]);
  });
});
