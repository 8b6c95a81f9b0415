import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { asUnixMs } from '../../domain/ids.js';
import { ALONE_MS, ORDERED_ALONE_SCHEMA, OrderedAlone } from './ordered-alone.js';
import { Sqlite } from './sqlite.js';

const NOW = 1_700_000_000_000;
const at = (afterMs: number) => asUnixMs(NOW + afterMs);

let db: Sqlite;
let alone: OrderedAlone;
beforeEach(() => {
  db = new Sqlite(':memory:', ORDERED_ALONE_SCHEMA);
  alone = new OrderedAlone(db);
});
afterEach(() => db.close());

test('what a person orders alone counts for 24 hours, each person by itself', () => {
  alone.add('p1', at(0), 600);
  alone.add('p1', at(10), 1);
  alone.add('p1', at(3_600_000), 300);
  alone.add('p2', at(0), 7);
  expect(alone.count('p1', at(3_600_000))).toBe(901);
  expect(alone.count('p2', at(0))).toBe(7);
  expect(alone.count('p3', at(0))).toBe(0);
  expect(alone.count('p1', at(ALONE_MS))).toBe(901);
  expect(alone.count('p1', at(ALONE_MS + 60_000))).toBe(300);
  expect(alone.count('p1', at(ALONE_MS + 3_660_000))).toBe(0);
});

test('a clock that is set back makes nothing be forgotten', () => {
  alone.add('p1', at(0), 600);
  expect(alone.count('p1', at(-3_600_000))).toBe(600);
});

test('what was not taken back after all counts no more', () => {
  alone.add('p1', at(0), 600);
  alone.add('p1', at(5), -600);
  expect(alone.count('p1', at(0))).toBe(0);
});
