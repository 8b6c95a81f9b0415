import { describe, expect, test } from '@jest/globals';
import { sha256, utf8 } from '@concordat/common/domain/bytes.js';
import { EMPTY_HEAD, nextLink } from '@concordat/common/domain/chain.js';
import type { LedgerStatement, Release, SlotTable } from '@concordat/common/domain/records.js';
import { openSlot, slotRoot } from '@concordat/common/domain/slots.js';
import { SUITE } from '@concordat/common/domain/statement.js';
import { bytesOf, codec, memberOf, testFederation } from '../../../../test/support/federation.js';
import { orderId, signAs } from '../../../../test/support/ledger.js';
import { NOW, eventId, sealEvent } from '../../../../test/support/origin.js';
import { type KeyRecord, checkKeys, checkShredded, readKeyRecord } from './check-key-answer.js';

const [un, de, fr] = [memberOf('un'), memberOf('de'), memberOf('fr')];
const members = testFederation([un, de, fr]);
const event = sealEvent(un, { id: eventId(1) });
const TREE = 4;
const block = { lane: 0, epoch: 1, number: 7, hash: sha256(utf8('block')) };
const release = { block, leaf: 2, sections: ['identity', 'documents'] } satisfies Partial<Release>;

const table = (change: Partial<SlotTable> = {}): SlotTable => ({
  ...{ seed: bytesOf('seed'), kind: 'RELEASE', recipient: de, orderId: null },
  leaves: [{ leaf: 2, sections: ['identity', 'documents'] }],
  ...change,
});

function statementOf(slots: SlotTable, change: Partial<LedgerStatement> = {}) {
  return signAs(members, { member: un, role: 'node' }, 'LedgerStatement', {
    ...{ suite: SUITE, federation: 'test', origin: un, keyId: '' },
    ...{ ...nextLink(EMPTY_HEAD), timeMs: NOW, block, blockNumber: 1 },
    ...{ blockPrevious: EMPTY_HEAD.hash, kind: slots.kind, treeSize: TREE },
    root: slotRoot(codec, slots, TREE),
    ...change,
  }).bytes;
}

const recordOf = (slots: SlotTable, statement = statementOf(slots)): Uint8Array =>
  codec.encode('LedgerRecord', { statement, body: codec.encode('SlotTable', slots) });
const read = (bytes: Uint8Array, self = de) =>
  readKeyRecord(codec, members.keys, bytes, { origin: un, self });
const recordWith = (
  change: Partial<SlotTable> = {},
  statement?: Partial<LedgerStatement>,
): KeyRecord => {
  const slots = table(change);
  const record = read(recordOf(slots, statementOf(slots, statement)));
  if (!record.ok) throw record.error;
  return record.value;
};

describe('a key record', () => {
  test('of the origin that names this node is taken', () => {
    expect(read(recordOf(table()))).toMatchObject({
      ok: true,
      value: { table: { recipient: de } },
    });
  });

  test.each<[name: string, code: string, bytes: () => Uint8Array]>([
    [
      'that names another recipient',
      'NOT_ADDRESSED_HERE',
      () => recordOf(table({ recipient: fr })),
    ],
    [
      'whose body is not what it signs',
      'CHAIN_BROKEN',
      () => recordOf(table({ recipient: de }), statementOf(table({ recipient: fr }))),
    ],
    [
      'that is a seal',
      'CHAIN_BROKEN',
      () => recordOf(table({ kind: 'SEAL', recipient: '', orderId: orderId(1) })),
    ],
    [
      'of a tree without end',
      'CHAIN_BROKEN',
      () => recordOf(table(), statementOf(table(), { treeSize: 2 ** 31 - 1 })),
    ],
    ['that is none', 'RECORD_MALFORMED', () => new Uint8Array()],
  ])('%s is refused', (_name, code, bytes) => {
    expect(read(bytes())).toMatchObject({ ok: false, error: { code } });
  });
});

describe('keys', () => {
  const check = (
    keys: ReadonlyMap<string, Uint8Array>,
    records: readonly KeyRecord[],
    change: Partial<typeof release> = {},
  ) => checkKeys({ header: event.header, release: { ...release, ...change } }, keys, records);

  test('that fit their commitments and are recorded are taken', () => {
    expect(check(event.keys, [recordWith()])).toEqual({ ok: true, value: undefined });
  });

  test('may be recorded in several records', () => {
    const records = ['identity', 'documents'].map((section) =>
      recordWith({ leaves: [{ leaf: 2, sections: [section] }] }),
    );
    expect(check(event.keys, records).ok).toBe(true);
  });

  test.each<[name: string, ReadonlyMap<string, Uint8Array>, () => readonly KeyRecord[], object]>([
    ['that are recorded nowhere', event.keys, () => [], {}],
    [
      'of a section that no record names',
      event.keys,
      () => [recordWith({ leaves: [{ leaf: 2, sections: ['identity'] }] })],
      {},
    ],
    [
      'of another leaf',
      event.keys,
      () => [recordWith({ leaves: [{ leaf: 1, sections: ['identity', 'documents'] }] })],
      {},
    ],
    [
      'of another block',
      event.keys,
      () => [recordWith({}, { block: { ...block, hash: sha256(utf8('other')) } })],
      {},
    ],
    ['that are too few', new Map([...event.keys].slice(1)), () => [recordWith()], {}],
    ['that are too many', event.keys, () => [recordWith()], { sections: ['identity'] }],
    [
      'that fit no commitment',
      new Map([...event.keys].map(([section]) => [section, bytesOf('other')])),
      () => [recordWith()],
      {},
    ],
    [
      'that were swapped',
      new Map([
        ['identity', event.keys.get('documents') ?? new Uint8Array()],
        ['documents', event.keys.get('identity') ?? new Uint8Array()],
      ]),
      () => [recordWith()],
      {},
    ],
  ])('%s are refused', (_name, keys, records, change) => {
    expect(check(keys, records(), change)).toMatchObject({
      ok: false,
      error: { code: 'COMMITMENT_MISMATCH' },
    });
  });
});

describe('a seal', () => {
  const seal = table({
    ...{ kind: 'SEAL', recipient: '', orderId: orderId(1) },
    leaves: [{ leaf: 2, sections: [] }],
  });
  const opened = (leaf: number, slots = seal, statement = statementOf(slots)): Uint8Array =>
    codec.encode('OpenedSlot', {
      statement,
      ...openSlot(codec, slots, { treeSize: TREE, leaf }),
    });
  const check = (bytes: Uint8Array, leaf = 2) =>
    checkShredded(codec, members.keys, bytes, { origin: un, self: de, release: { block, leaf } });

  test('of this leaf names its order', () => {
    expect(check(opened(2))).toEqual({ ok: true, value: orderId(1) });
  });

  test.each<[name: string, leaf: number, bytes: () => Uint8Array]>([
    ['that is opened at another leaf', 2, () => opened(1)],
    ['of another leaf', 1, () => opened(1)],
    [
      'of another block',
      2,
      () => opened(2, seal, statementOf(seal, { block: { ...block, number: 8 } })),
    ],
    ['that is a release', 2, () => opened(2, table())],
    [
      'whose root is another',
      2,
      () => opened(2, seal, statementOf(seal, { root: EMPTY_HEAD.hash })),
    ],
    ['that is none', 2, () => new Uint8Array()],
  ])('%s proves nothing', (_name, leaf, bytes) => {
    expect(check(bytes(), leaf)).toMatchObject({ ok: false });
  });
});
