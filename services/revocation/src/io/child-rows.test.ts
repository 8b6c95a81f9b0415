import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { sha256, utf8 } from '@concordat/common/domain/bytes.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import { Sqlite } from '@concordat/common/io/store/sqlite.js';
import { orderId } from '../../../../test/support/ledger.js';
import { eventId } from '../../../../test/support/origin.js';
import { CHILD_SCHEMA, ChildRows } from './child-rows.js';

let db: Sqlite;
let rows: ChildRows;

beforeEach(() => {
  db = new Sqlite(':memory:', CHILD_SCHEMA);
  rows = new ChildRows(db);
});
afterEach(() => {
  db.close();
});

const wantedOf = (holder: string, n: number) => ({
  ...{ parentOrder: orderId(1), holder: holder as MemberId },
  ...{ hash: sha256(utf8(`${holder} ${String(n)}`)), orderId: orderId(100 + n) },
});

test('a holder whose certificates cannot be had keeps no other holder’s waiting', () => {
  for (let n = 0; n < 5; n += 1) rows.want(wantedOf('de', n), eventId(n));
  rows.want(wantedOf('fr', 9), eventId(9));
  const holders = rows.wanted(2).map(({ holder }) => holder);
  expect(holders).toEqual(['de', 'de', 'fr']);
});

test('what is kept is wanted no more', () => {
  const wanted = wantedOf('de', 1);
  rows.want(wanted, eventId(1));
  expect(rows.childrenOf(wanted)).toEqual([eventId(1)]);
  rows.keep(wanted, utf8('signed'));
  expect(rows.wanted(2)).toEqual([]);
});
