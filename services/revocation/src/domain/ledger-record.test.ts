import { expect, test } from '@jest/globals';
import type { LedgerStatement } from '@concordat/common/domain/records.js';
import { checkStatements } from '@concordat/common/domain/statement.js';
import { codec, memberOf, testFederation } from '../../../../test/support/federation.js';
import { TestLedger, signAs } from '../../../../test/support/ledger.js';
import { eventId } from '../../../../test/support/origin.js';
import { readLedgerRecord } from './ledger-record.js';

const [UN, DE] = [memberOf('un'), memberOf('de')];
const federation = testFederation([UN, DE]);
const records: Uint8Array[] = [];
const ledger = new TestLedger(federation, UN, (record) => records.push(record));
ledger.publish({ id: eventId(1) }, { id: eventId(2), supersedes: eventId(1) });
ledger.release(DE, eventId(2));
const [publication = new Uint8Array(), release = new Uint8Array()] = records;

const statements = checkStatements(codec, federation.keys);
const read = (bytes: Uint8Array) => readLedgerRecord(codec, statements, bytes, UN);

/** The same record, signed again with something else in its statement. */
function changed(bytes: Uint8Array, edit: Partial<LedgerStatement>): Uint8Array {
  const record = codec.decode('LedgerRecord', bytes);
  const before = read(bytes);
  if (!record.ok) throw record.error;
  if (!before.ok) throw before.error;
  const value = { ...before.value.statement.value, ...edit };
  const by = { member: UN, role: 'node' } as const;
  const statement = signAs(federation, by, 'LedgerStatement', value).bytes;
  return codec.encode('LedgerRecord', { statement, body: record.value.body });
}

test('a publication tells what was published, a release tells nothing of the kind', () => {
  const [first, second] = [read(publication), read(release)];
  if (!first.ok) throw first.error;
  if (!second.ok) throw second.error;
  expect(first.value.published.map(({ id }) => id)).toEqual([eventId(1), eventId(2)]);
  expect(first.value.published[1]?.supersedes).toBe(eventId(1));
  expect(second.value.published).toEqual([]);
});

test.each<[name: string, bytes: () => Uint8Array]>([
  ['whose table has other rows than it says', () => changed(publication, { treeSize: 3 })],
  ['whose table is another one', () => changed(publication, { root: new Uint8Array(32) as never })],
  ['whose slots are others', () => changed(release, { root: new Uint8Array(32) as never })],
  ['that publishes a block again', () => changed(publication, { blockNumber: 1 })],
  ['that releases before it publishes', () => changed(release, { blockNumber: 0 })],
])('a record %s is refused', (_name, bytes) => {
  expect(read(bytes())).toMatchObject({ ok: false, error: { code: 'BLOCK_ROOT_MISMATCH' } });
});
