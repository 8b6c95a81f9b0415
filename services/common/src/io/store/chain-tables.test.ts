import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ZERO_HASH, sha256, utf8 } from '../../domain/bytes.js';
import { EMPTY_HEAD, type Head } from '../../domain/chain.js';
import { ConcordatError } from '../../domain/errors.js';
import { asUnixMs } from '../../domain/ids.js';
import { CHAIN_SCHEMA, ChainTables } from './chain-tables.js';
import { Sqlite, numberOf } from './sqlite.js';

const NOW = asUnixMs(1_700_000_000_000);
let dir: string;
let db: Sqlite;
let tables: ChainTables;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'chains-'));
  db = new Sqlite(join(dir, 'a.db'), CHAIN_SCHEMA);
  tables = new ChainTables(db);
});
afterEach(() => {
  db.close();
  rmSync(dir, { recursive: true });
});

const hash = (text: string) => sha256(utf8(text));
const head = (number: number, text = String(number)): Head => ({
  ...{ epoch: 1, number, hash: hash(text) },
});
const link = (number: number, previous = number - 1) => ({
  ...{ epoch: 1, number, hash: hash(String(number)) },
  previous: previous === 0 ? ZERO_HASH : hash(String(previous)),
});
const follow = (...numbers: readonly number[]) =>
  numbers.map((number) => tables.follow('c', link(number), NOW));

describe('an own head', () => {
  test('begins empty and moves on', () => {
    expect(tables.ownHead('c')).toEqual(EMPTY_HEAD);
    tables.advanceOwn('c', EMPTY_HEAD, head(1));
    tables.advanceOwn('c', head(1), head(2));
    expect(tables.ownHead('c')).toEqual(head(2));
    expect(tables.ownHeads()).toEqual([{ chain: 'c', head: head(2) }]);
  });

  test.each<[name: string, from: Head]>([
    ['the same number', head(1)],
    ['the beginning', EMPTY_HEAD],
    ['the same number with another hash', head(2, 'other')],
    ['another epoch', { ...head(2), epoch: 2 }],
  ])('is not moved by a second writer that knows %s', (_name, from) => {
    tables.advanceOwn('c', EMPTY_HEAD, head(1));
    tables.advanceOwn('c', head(1), head(2));
    expect(() => tables.advanceOwn('c', from, head(3))).toThrow(/another writer moved the head/);
    expect(tables.ownHead('c')).toEqual(head(2));
  });
});

describe('a followed chain', () => {
  test('takes each number once, in order', () => {
    expect(follow(1, 2, 2, 1, 3)).toEqual([
      ...[{ kind: 'next' }, { kind: 'next' }, { kind: 'duplicate' }],
      ...[{ kind: 'duplicate' }, { kind: 'next' }],
    ]);
    expect(tables.followedHead('c')).toEqual(head(3));
  });

  test('names what is missing, does not move, and forgets the gap once it is filled', () => {
    follow(1);
    expect(follow(4)).toEqual([{ kind: 'gap', missingFrom: 2, missingTo: 3 }]);
    expect(tables.gaps()).toEqual(['c: missing 2 to 3']);
    expect(tables.newestNumber('c')).toBe(4);
    expect(tables.followedHead('c')).toEqual(head(1));
    follow(2);
    expect(tables.gaps()).toEqual([]);
    expect(tables.newestNumber('c')).toBe(2);
  });

  test('is broken by a statement that does not follow its head, or of another epoch', () => {
    follow(1);
    expect(tables.follow('c', { ...link(2), previous: hash('x') }, NOW).kind).toBe('broken');
    expect(tables.follow('c', { ...link(2), epoch: 2 }, NOW).kind).toBe('broken');
    expect(follow(2)).toEqual([{ kind: 'next' }]);
  });

  test('calls a second statement of one number equivocation, also after a rewind', () => {
    follow(1, 2);
    const second = { ...link(2), hash: hash('second') };
    expect(tables.follow('c', second, NOW).kind).toBe('equivocation');
    tables.rewind('c');
    follow(1);
    expect(tables.follow('c', second, NOW).kind).toBe('equivocation');
    expect(follow(2)).toEqual([{ kind: 'next' }]);
  });
});

test('rewinding forgets positions and expected numbers of these chains, and of no others', () => {
  for (const chain of ['feed.un.de/0', 'purge.un.de']) {
    tables.follow(chain, link(1), NOW);
    tables.setPosition(chain, 0, 7n);
  }
  tables.rewind('feed.');
  expect(tables.position('feed.un.de/0', 0)).toBe(0n);
  expect(tables.followedHead('feed.un.de/0')).toEqual(EMPTY_HEAD);
  expect(tables.position('purge.un.de', 0)).toBe(7n);
  expect(tables.followedHead('purge.un.de')).toEqual(head(1));
});

test('a position keeps every digit', () => {
  tables.setPosition('t', 0, 2n ** 63n - 1n);
  expect(tables.position('t', 0)).toBe(2n ** 63n - 1n);
});

describe('the outbox', () => {
  const record = (text: string) => ({ value: utf8(text), headers: { ce_type: 'a' } });

  test('answers rows in the order of their commit, lane by lane, as they were put in', () => {
    const first = tables.enqueue('t', 0, record('a'));
    tables.enqueue('t', 1, record('b'));
    const third = tables.enqueue('t', 0, record('c'));
    expect(tables.outboxOf('t', 0, 10)).toEqual([
      { seq: first, record: record('a') },
      { seq: third, record: record('c') },
    ]);
    expect(tables.outboxLanes()).toHaveLength(2);
    expect(tables.outboxSize()).toBe(3);
  });

  test('knows what was sent, and gives no number twice', () => {
    const first = tables.enqueue('t', 0, record('a'));
    const second = tables.enqueue('t', 0, record('b'));
    tables.sent('t', 0, first);
    expect([tables.isSent('t', 0, first), tables.isSent('t', 0, second)]).toEqual([true, false]);
    tables.sent('t', 0, second);
    expect(tables.enqueue('t', 0, record('c'))).toBeGreaterThan(second);
  });

  test('sends what was committed, not what was rolled back under the same number', () => {
    let rolledBack = 0;
    expect(() =>
      db.transaction(() => {
        rolledBack = tables.enqueue('t', 0, record('a'));
        throw new Error('rolled back');
      }),
    ).toThrow('rolled back');
    const seq = tables.enqueue('t', 0, record('b'));
    expect(seq).toBe(rolledBack);
    expect(tables.outboxOf('t', 0, 10)).toEqual([{ seq, record: record('b') }]);
  });

  test('gives large records back as they were put in, whether they are remembered or not', () => {
    const values = Array.from({ length: 6 }, (_, n) => new Uint8Array(1_000_000).fill(n));
    for (const value of values) tables.enqueue('t', 0, { value, headers: { n: 'x' }, key: 'k' });
    for (const known of [tables, new ChainTables(db)]) {
      const rows = known.outboxOf('t', 0, 10);
      expect(rows.map(({ record: { value } }) => value[0])).toEqual([0, 1, 2, 3, 4, 5]);
      for (const { record: of } of rows) expect([of.headers, of.key]).toEqual([{ n: 'x' }, 'k']);
    }
  });

  test('deletes what was sent with the next row, and again if that was rolled back', () => {
    const rows = () => numberOf(db.get('SELECT count(*) AS n FROM outbox') ?? {}, 'n');
    tables.sent('t', 0, tables.enqueue('t', 0, record('a')));
    expect([rows(), tables.outboxSize(), tables.outboxOf('t', 0, 10).length]).toEqual([1, 0, 0]);
    expect(() =>
      db.transaction(() => {
        tables.enqueue('t', 1, record('b'));
        throw new Error('rolled back');
      }),
    ).toThrow('rolled back');
    expect([rows(), tables.outboxSize()]).toEqual([1, 0]);
    tables.enqueue('t', 1, record('b'));
    expect([rows(), tables.outboxSize()]).toEqual([1, 1]);
  });
});

test('a refused record is kept once for its place, and counted once', () => {
  const why = new ConcordatError('SIGNATURE_INVALID', 'no');
  const keep = () => tables.quarantine('t/0/7', why, utf8('bytes'), NOW);
  expect([keep(), keep()]).toEqual(['kept', 'known']);
  expect(tables.quarantined()).toEqual([
    { source: 't/0/7', code: 'SIGNATURE_INVALID', message: 'no', atMs: NOW, size: 5 },
  ]);
  expect(tables.counters()).toEqual({ 'quarantined.SIGNATURE_INVALID': 1 });
});

test('a flood of refused records fills no disk, and evidence of equivocation outlives it', () => {
  const keep = (n: number, code: 'EQUIVOCATION' | 'RECORD_MALFORMED') =>
    tables.quarantine(`t/0/${String(n)}`, new ConcordatError(code, 'no'), utf8('bytes'), NOW);
  db.transaction(() => {
    keep(0, 'EQUIVOCATION');
    for (let n = 1; n <= 1_500; n += 1) keep(n, 'RECORD_MALFORMED');
  });
  const kept = db.all('SELECT source FROM quarantine ORDER BY seq').map(({ source }) => source);
  expect([kept.length, kept[0], kept.at(-1)]).toEqual([1_001, 't/0/0', 't/0/1500']);
  expect(tables.counters()).toMatchObject({ 'quarantined.RECORD_MALFORMED': 1_500 });
});

describe('sent records', () => {
  const keep = (from: number, to: number, atMs = NOW, of = tables) => {
    for (let number = from; number <= to; number += 1) {
      const seq = of.enqueueKept(
        't',
        0,
        { value: utf8(`record ${String(number)}`) },
        {
          ...{ epoch: 1, number, atMs },
        },
      );
      of.sent('t', 0, seq);
    }
  };
  const kept = (from: number, bytesMax = 1_000, of = tables) => {
    const { values, firstKept } = of.keptFrom({ topic: 't', lane: 0, epoch: 1, from }, bytesMax);
    return { firstKept, texts: values.map((value) => Buffer.from(value).toString()) };
  };

  test('are sent with their bytes, and stay for who missed them', () => {
    tables.enqueueKept(
      't',
      0,
      { value: utf8('a'), headers: { h: 'x' } },
      { epoch: 1, number: 1, atMs: NOW },
    );
    tables.enqueue('t', 0, { value: utf8('b') });
    const rows = tables.outboxOf('t', 0, 10);
    expect(rows.map(({ record }) => Buffer.from(record.value).toString())).toEqual(['a', 'b']);
    expect(rows[0]?.record.headers).toEqual({ h: 'x' });
    tables.sent('t', 0, rows[1]?.seq ?? 0);
    expect(tables.outboxSize()).toBe(0);
    expect(kept(1)).toEqual({ firstKept: 1, texts: ['a'] });
  });

  test('are answered from a number on, within a size, at least one, and never across a hole', () => {
    keep(3, 5);
    keep(7, 8);
    expect(kept(3)).toEqual({ firstKept: 3, texts: ['record 3', 'record 4', 'record 5'] });
    expect(kept(4, 16).texts).toEqual(['record 4', 'record 5']);
    expect(kept(4, 15).texts).toEqual(['record 4']);
    expect(kept(4, 0).texts).toEqual(['record 4']);
    expect(kept(6).texts).toEqual([]);
    expect(kept(9)).toEqual({ firstKept: 3, texts: [] });
    expect(tables.keptFrom({ topic: 't', lane: 1, epoch: 1, from: 1 }, 9).firstKept).toBe(0);
  });

  test.each([
    ['their bytes', { ageMs: 1e9, bytes: 100 }, 0],
    ['their age', { ageMs: 50, bytes: 1e9 }, 1],
  ])('are bounded by %s; the oldest go first', (_name, bounds, perRecordMs) => {
    const bounded = new ChainTables(db, bounds);
    for (let n = 1; n <= 256; n += 1) keep(n, n, asUnixMs(NOW + n * perRecordMs), bounded);
    const { firstKept } = kept(256, 9, bounded);
    expect(firstKept).toBeGreaterThan(190);
    expect(kept(256, 9, bounded).texts).toEqual(['record 256']);
    // the sum is counted anew at a start
    expect(
      new ChainTables(db, bounds).keptFrom({ topic: 't', lane: 0, epoch: 1, from: 1 }, 9),
    ).toEqual({ values: [], firstKept });
  });

  test('that the broker does not have yet are not dropped, whatever the bound', () => {
    const bounded = new ChainTables(db, { ageMs: 0, bytes: 0 });
    for (let number = 1; number <= 200; number += 1) {
      bounded.enqueueKept('t', 0, { value: utf8('x') }, { epoch: 1, number, atMs: NOW });
    }
    expect(kept(1, 1, bounded).firstKept).toBe(1);
    expect(bounded.outboxOf('t', 0, 1)[0]?.record.value).toEqual(utf8('x'));
  });
});
