import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { idBytes } from '@concordat/common/domain/ids.js';
import { asUnixMs } from '@concordat/common/domain/ids.js';
import { Sqlite, bytesOf } from '@concordat/common/io/store/sqlite.js';
import { systemRandom } from '@concordat/common/io/system-ports.js';
import { bytesOf as sameBytes, memberOf } from '../../../../test/support/federation.js';
import { orderId } from '../../../../test/support/ledger.js';
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

describe('after a purge', () => {
  const order = orderId(1);
  const taken = (n: number) => ({ origin: un, id: eventId(n), orderId: order });
  const keks = () => readdirSync(join(dir, 'keks')).sort();
  const kekOf = (generation: number) =>
    readFileSync(join(dir, 'keks', `generation-${String(generation)}.key`));
  const disk = () =>
    Buffer.concat(
      readdirSync(dir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name))),
    );
  /** To the end, and once more to see that nothing is left; `between` runs after each step. */
  const sweep = (between: () => void = () => undefined) => {
    for (let moved = 1; moved > 0;) {
      moved = 0;
      let step: ReturnType<typeof vault.erasure.step> | undefined;
      do {
        step = vault.erasure.step(step?.last, 2);
        moved += step.moved;
        between();
      } while (step.last);
    }
  };
  const erase = () => {
    vault.erasure.begin();
    sweep();
    vault.erasure.finish();
  };
  const reopen = () => {
    vault.close();
    vault = open();
  };

  test('the key is destroyed that had wrapped the purged ones, and the rest is read under another', () => {
    put(1, 2, 3, 4, 5);
    const kek = kekOf(1);
    vault.delete([taken(1), taken(2)]);
    expect(vault.erasure.begin()).toBe(1);
    sweep();
    expect(keks()).toEqual(['generation-1.key', 'generation-2.key']);
    vault.erasure.finish();
    expect(keks()).toEqual(['generation-2.key']);
    expect(disk().includes(kek)).toBe(false);
    for (const n of [3, 4, 5]) expect(vault.get(un, eventId(n)).get('identity')).toEqual(key(n));
    expect(vault.erasure.destroyedFor(un, new Set([order]))).toEqual([1]);
    expect(vault.erasure.destroyedFor(un, new Set([orderId(2)]))).toEqual([]);
    vault.erasure.forget(un, new Set([order]));
    expect(vault.erasure.destroyedFor(un, new Set([order]))).toEqual([]);
    expect(vault.erasure.begin()).toBe(0);
  });

  test('every key that is left is read between any two steps, also after a crash there', () => {
    put(1, 2, 3, 4, 5, 6, 7);
    vault.delete([taken(4)]);
    vault.erasure.begin();
    let steps = 0;
    sweep(() => {
      steps += 1;
      reopen();
      vault.dropLostGenerations();
      for (const n of [1, 2, 3, 5, 6, 7]) expect(vault.get(un, eventId(n)).size).toBe(2);
    });
    expect(steps).toBeGreaterThan(6);
    reopen();
    expect(vault.erasure.begin()).toBe(1);
    vault.erasure.finish();
    reopen();
    expect(vault.dropLostGenerations()).toBe(0);
    expect(vault.get(un, eventId(7)).get('remarks')).toEqual(key(7, 'remarks'));
  });

  test('what comes meanwhile is not wrapped under a key that is going to be destroyed', () => {
    put(1, 2, 3);
    vault.delete([taken(1)]);
    vault.erasure.begin();
    let n = 10;
    sweep(() => {
      if (n < 14) put((n += 1));
      if (n === 12) vault.delete([{ origin: un, id: eventId(2), orderId: orderId(2) }]);
    });
    vault.erasure.finish();
    for (const left of [3, 11, 12, 13, 14]) expect(vault.get(un, eventId(left)).size).toBe(2);
    expect(vault.erasure.destroyedFor(un, new Set([order]))).toEqual([1]);
  });

  test('of sections the key is destroyed too that had wrapped them', () => {
    put(1, 2);
    const orderIds = new Set([order]);
    vault.deleteSections({ origin: un, id: eventId(1), orderIds }, new Set(['remarks']));
    erase();
    expect(keks()).toEqual(['generation-2.key']);
    expect(vault.sectionsHeld(un, eventId(1))).toEqual(['identity']);
    expect(vault.get(un, eventId(1)).get('identity')).toEqual(key(1));
    expect(vault.erasure.destroyedFor(un, orderIds)).toEqual([1]);
  });

  test('nothing is destroyed for keys that no order took back', () => {
    put(1, 2);
    vault.delete([{ origin: un, id: eventId(1) }]);
    expect(vault.erasure.begin()).toBe(0);
  });

  test('a number that was destroyed never comes back, even when nothing was left', () => {
    put(1);
    vault.delete([taken(1)]);
    erase();
    expect(keks()).toEqual([]);
    put(2);
    expect(keks()).toEqual(['generation-2.key']);
  });

  test('a crash before the file is gone leaves no key behind', () => {
    put(1, 2);
    const kek = kekOf(1);
    vault.delete([taken(1)]);
    erase();
    writeFileSync(join(dir, 'keks', 'generation-1.key'), kek);
    reopen();
    expect(vault.erasure.begin()).toBe(1);
    sweep();
    vault.erasure.finish();
    expect(disk().includes(kek)).toBe(false);
  });

  test('keys of a vault that is lost are strays: not used again, and destroyed when one says so', () => {
    put(1);
    const kek = kekOf(1);
    vault.close();
    for (const end of ['', '-wal', '-shm']) rmSync(`${file()}${end}`, { force: true });
    vault = open();
    put(2);
    expect(keks()).toEqual(['generation-1.key', 'generation-2.key']);
    expect(vault.erasure.strayKeys()).toEqual([1]);
    vault.erasure.destroyStray([1, 2]);
    expect(keks()).toEqual(['generation-2.key']);
    expect(disk().includes(kek)).toBe(false);
    expect(vault.get(un, eventId(2)).size).toBe(2);
  });
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

  test('leaves neither a subject nor a tag on disk: tags are wrapped with the keys', () => {
    putAbout(1, [john]);
    const hmac = createHmac('sha256', readFileSync(join(dir, 'keks', 'subjects.key')));
    const tag = hmac.update('concordat subject v1\n').update(john).digest().subarray(0, 16);
    const disk = Buffer.concat(
      readdirSync(dir, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name))),
    );
    expect(disk.includes('doe')).toBe(false);
    expect(disk.includes(tag)).toBe(false);
  });

  test('stays with an event whose other sections go, and is wrapped anew with its keys', () => {
    putAbout(1, [john]);
    putAbout(2, [jane, john]);
    const orderIds = new Set([orderId(1)]);
    vault.deleteSections({ origin: un, id: eventId(1), orderIds }, new Set(['remarks']));
    vault.erasure.begin();
    vault.erasure.step(undefined, 9);
    vault.erasure.finish();
    expect(readdirSync(join(dir, 'keks')).sort()).toEqual(['generation-2.key', 'subjects.key']);
    expect(about([john], 1, 2)).toEqual([eventId(1), eventId(2)]);
    expect(about([jane], 1, 2)).toEqual([eventId(2)]);
    expect([...vault.get(un, eventId(1)).keys()]).toEqual(['identity']);
  });

  test('of another node has other tags for the same subject', () => {
    putAbout(1, [john]);
    vault.close();
    unlinkSync(join(dir, 'keks', 'subjects.key'));
    vault = open();
    expect(about([john], 1)).toEqual([]);
  });
});
