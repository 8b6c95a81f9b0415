import { describe, expect, test } from '@jest/globals';
import { sha256, utf8 } from '@concordat/common/domain/bytes.js';
import { type EventId, asUnixMs } from '@concordat/common/domain/ids.js';
import type { PurgeOrder, SealEvidence, SealRecord } from '@concordat/common/domain/records.js';
import { SUITE, checkStatements } from '@concordat/common/domain/statement.js';
import { codec, memberOf, testFederation } from '../../../../test/support/federation.js';
import { TestLedger, orderId, signAs } from '../../../../test/support/ledger.js';
import { NOW, eventId } from '../../../../test/support/origin.js';
import { type SealAnswer, readSealAnswer } from './seal-answer.js';

const [un, de, fr] = [memberOf('un'), memberOf('de'), memberOf('fr')];
const members = testFederation([un, de, fr]);
const statements = checkStatements(codec, members.keys);
const [A, B, C] = [eventId(1), eventId(2), eventId(3)];

const ledger = new TestLedger(members, un);
ledger.publish({ id: A }, { id: C });
ledger.publish({ id: B });
ledger.release(de, A, B);
ledger.release(fr, A);

const order = orderBy({});
const honest = ledger.seal(order.bytes);
const sealed = valueOf(honest.sealRecord);
const evidence = decoded(honest.evidence);

function orderBy(change: Partial<PurgeOrder>) {
  return signAs(members, { member: un, role: 'purge-officer' }, 'PurgeOrder', {
    ...{ suite: SUITE, federation: 'test', origin: un, keyId: '', orderId: orderId(1) },
    ...{ issuedAtMs: NOW, deadlineMs: asUnixMs(NOW + 1), reason: 'error', ids: [A, B] },
    ...{ supersededBy: null, recipients: [], sections: [], cause: null },
    ...change,
  });
}

function valueOf(bytes: Uint8Array): SealRecord {
  const seal = statements('SealRecord', bytes, { signer: un });
  if (!seal.ok) throw seal.error;
  return seal.value.value;
}

function decoded(bytes: Uint8Array): SealEvidence {
  const value = codec.decode('SealEvidence', bytes);
  if (!value.ok) throw value.error;
  return value.value;
}

function answerWith(seal: Partial<SealRecord>, change: Partial<SealEvidence> = {}): SealAnswer {
  const record = signAs(members, { member: un, role: 'node' }, 'SealRecord', {
    ...{ ...sealed, ...seal },
  });
  return {
    sealRecord: record.bytes,
    evidence: codec.encode('SealEvidence', { ...evidence, ...change }),
  };
}

/** What is read, or the code and message of the refusal. */
function read(answer: SealAnswer, of = order) {
  const seal = readSealAnswer(codec, statements, of, answer);
  return seal.ok ? seal.value : `${seal.error.code}: ${seal.error.message}`;
}

test('an answer that seals exactly the order is taken with its evidence', () => {
  expect(read(honest)).toMatchObject({ seal: { value: sealed }, evidence });
  expect(sealed.holders).toEqual([
    { recipient: de, ids: [A, B] },
    { recipient: fr, ids: [A] },
  ]);
  expect(read(answerWith({ ids: [B, A], holders: [] }))).toMatchObject({ evidence });
});

test('of a cover, holders within it are taken', () => {
  const narrow = orderBy({ recipients: [de], sections: ['identity'], orderId: orderId(2) });
  const cover = { orderId: orderId(2), orderHash: narrow.hash, recipients: [de] };
  const answer = (change: Partial<SealRecord>) =>
    answerWith({ ...cover, sections: ['identity'], holders: [], ...change });
  const [toDe, toFr] = [de, fr].map((recipient) => ({ recipient, ids: [A] }));
  expect(read(answer({ holders: toDe ? [toDe] : [] }), narrow)).toMatchObject({ evidence });
  expect(read(answer({ holders: toFr ? [toFr] : [] }), narrow)).toMatch(
    /within the cover, came fr/,
  );
  expect(read(answer({ recipients: [fr] }), narrow)).toMatch(/the ordered cover/);
  expect(read(answer({ sections: [] }), narrow)).toMatch(/the ordered cover/);
});

// prettier-ignore
describe('an answer is refused that', () => {
  const holders = (recipient = de, ...ids: EventId[]) => ({ holders: [{ recipient, ids }] });
  const [first, second] = evidence.blocks;
  if (!first || !second) throw new Error('two blocks are touched');
  test.each<[name: string, problem: RegExp, seal: Partial<SealRecord>, change?: Partial<SealEvidence>]>([
    ['seals an order of another id', /of another$/, { orderId: orderId(7) }],
    ['seals another order of that id', /of another$/, { orderHash: sha256(utf8('other')) }],
    ['seals fewer events', /expected the ordered events/, { ids: [A] }],
    ['seals another event instead', /expected the ordered events/, { ids: [A, C] }],
    ['seals one event twice', /expected the ordered events/, { ids: [A, A] }],
    ['takes less from recipients than was ordered', /the ordered cover/, { recipients: [de] }],
    ['takes fewer sections than were ordered', /the ordered cover/, { sections: ['identity'] }],
    ['names no seal in the ledger', /at least one seal/, { seals: [] }],
    ['names a holder twice', /stands twice/, { holders: [...holders(de, A).holders, ...holders(de, B).holders] }],
    ['names a holder of nothing', /events for holder de/, holders(de)],
    ['names a holder of one event twice', /events for holder de/, holders(de, A, A)],
    ['names a holder of an event that was not ordered', /events for holder de/, holders(de, A, C)],
    ['names the origin as a holder', /other members as holders/, holders(un, A)],
    ['proves too little', /evidence of the ordered events/, {}, { blocks: [first] }],
    ['proves one event twice', /evidence of the ordered events/, {}, { blocks: [first, first] }],
    ['proves by a header that is none', /^SEAL_INVALID: evidence: /, {}, { blocks: [first, { ...second, leaves: second.leaves.map((leaf) => ({ ...leaf, header: utf8('no') })) }] }],
    ['proves by a block that nobody signed', /^SEAL_INVALID: evidence: RECORD_MALFORMED/, {}, { blocks: [first, { ...second, statement: honest.sealRecord }] }],
  ])('%s', (_name, problem, seal, change = {}) => {
    expect(read(answerWith(seal, change))).toMatch(problem);
  });

  test('is not signed by the own node, or cannot be read', () => {
    const stranger = signAs(members, { member: de, role: 'node' }, 'SealRecord', sealed);
    expect(read({ ...honest, sealRecord: stranger.bytes })).toMatch(/^SENDER_NOT_TOPIC_OWNER/);
    expect(read({ ...honest, evidence: utf8('no') })).toMatch(/^(?:RECORD_MALFORMED|SCHEMA_UNKNOWN)/);
  });
});
