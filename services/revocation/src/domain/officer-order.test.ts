import { describe, expect, test } from '@jest/globals';
import { sha256, utf8 } from '@concordat/common/domain/bytes.js';
import { type EventId, asUnixMs } from '@concordat/common/domain/ids.js';
import type { PurgeOrder } from '@concordat/common/domain/records.js';
import { SUITE, checkStatements } from '@concordat/common/domain/statement.js';
import { codec, memberOf, testFederation } from '../../../../test/support/federation.js';
import { orderId, signAs } from '../../../../test/support/ledger.js';
import { NOW, eventId } from '../../../../test/support/origin.js';
import { ORDER_IDS_MAX, type OfficerOrderFacts, readOfficerOrder } from './officer-order.js';

const [un, de, fr, us] = [memberOf('un'), memberOf('de'), memberOf('fr'), memberOf('us')];
const members = testFederation([un, de, fr, us]);
const [PUBLISHED, ORDERED, UNKNOWN] = [eventId(1), eventId(2), eventId(3)];

const facts: OfficerOrderFacts = {
  statements: checkStatements(codec, members.keys),
  origin: un,
  others: [de, fr],
  standing: (id) => (id === ORDERED ? 'ordered' : id === UNKNOWN ? 'unknown' : 'free'),
  isLeaving: (member) => member === fr,
  known: () => undefined,
};

const usual: PurgeOrder = {
  ...{ suite: SUITE, federation: 'test', origin: un, keyId: '', orderId: orderId(1) },
  ...{ issuedAtMs: NOW, deadlineMs: asUnixMs(NOW + 1), reason: 'error', ids: [PUBLISHED] },
  ...{ supersededBy: null, recipients: [], sections: [], cause: null },
};
const CAUSE = {
  ...{ origin: de, orderId: orderId(2), parents: [eventId(9)] },
  entryHash: sha256(utf8('entry')),
};
const leave: Partial<PurgeOrder> = { ids: [], recipients: [de], reason: 'agreement_ended' };

type Who = Parameters<typeof signAs>[1];
const OFFICER: Who = { member: un, role: 'purge-officer' };
const bytesBy = (change: Partial<PurgeOrder>, who = OFFICER) =>
  signAs(members, who, 'PurgeOrder', { ...usual, ...change }).bytes;

/** The code and message of a refusal, or what was read. */
function read(bytes: Uint8Array, change: Partial<OfficerOrderFacts> = {}) {
  const order = readOfficerOrder(bytes, { ...facts, ...change });
  return order.ok ? order.value : `${order.error.code}: ${order.error.message}`;
}

const events = (count: number): EventId[] =>
  Array.from({ length: count }, (_, at) => eventId(100 + at));

describe("an officer's order is taken", () => {
  test.each<[name: string, change: Partial<PurgeOrder>]>([
    ['about an event that nothing covers yet', {}],
    ['from named recipients only', { recipients: [de, fr] }],
    ['for named sections only', { sections: ['identity'] }],
    ['with as many events as an order may have', { ids: events(ORDER_IDS_MAX) }],
    ['by which a member leaves', leave],
  ])('%s', (_name, change) => {
    const bytes = bytesBy(change);
    expect(read(bytes)).toMatchObject({ isRepeated: false, order: { bytes, value: change } });
  });

  test('again when the very same bytes stand here, whatever has become of its events', () => {
    const bytes = bytesBy({ ids: [ORDERED] });
    expect(
      read(bytes, { known: (id) => (id === usual.orderId ? bytes : undefined) }),
    ).toMatchObject({ isRepeated: true, order: { bytes } });
  });
});

// prettier-ignore
describe("an officer's order is refused", () => {
  test.each<[name: string, refusal: RegExp, change: Partial<PurgeOrder>]>([
    ['for a reason that only facts give', /^ORDER_INVALID: .*that a person may give, came retention/, { reason: 'retention' }],
    ['when it names a successor', /^ORDER_INVALID: .*that a person may give/, { supersededBy: eventId(8) }],
    ['when it follows from another order', /^ORDER_INVALID: .*order of its own/, { cause: CAUSE }],
    ['when it is due the moment it is issued', /^ORDER_INVALID: .*deadline after/, { deadlineMs: NOW }],
    ['without an event, though for sections', /^ORDER_INVALID: expected 1 to 2000 events, came 0/, { ids: [], sections: ['identity'], recipients: [de] }],
    ['with one event too many', /^ORDER_INVALID: expected 1 to 2000 events, came 2001/, { ids: events(ORDER_IDS_MAX + 1) }],
    ['when it names an event twice', /^ORDER_INVALID: expected each event once/, { ids: [PUBLISHED, PUBLISHED] }],
    ['about an event that was not published here', /^ORDER_INVALID: .*came 1 of 2 that were not/, { ids: [PUBLISHED, UNKNOWN] }],
    ['about an event that an order covers', /^ORDER_INVALID: .*came 1 of 2 that one covers/, { ids: [PUBLISHED, ORDERED] }],
    ['from a member that is none of ours to give to', /^ORDER_INVALID: .*recipients of this federation, came us/, { recipients: [de, us] }],
    ['with a recipient twice', /^ORDER_INVALID: expected each recipient once/, { recipients: [de, de] }],
    ['when the origin itself shall leave', /^ORDER_INVALID: .*another member than the origin/, { ...leave, recipients: [un] }],
    ['when a stranger shall leave', /^ORDER_INVALID: .*recipients of this federation, came us/, { ...leave, recipients: [us] }],
    ['when who shall leave leaves already', /^ORDER_INVALID: .*fr leaves already/, { ...leave, recipients: [fr] }],
    ['when leaving is due the moment it is issued', /^ORDER_INVALID: .*deadline after/, { ...leave, deadlineMs: NOW }],
  ])('%s', (_name, refusal, change) => {
    expect(read(bytesBy(change))).toMatch(refusal);
  });

  test.each<[name: string, refusal: RegExp, bytes: () => Uint8Array]>([
    ["by the revocation service's key", /^ORDER_NOT_AUTHORISED: .*came one by role revocation$/, () => bytesBy({}, { member: un, role: 'revocation' })],
    ["by a node's key", /^ORDER_NOT_AUTHORISED: KEY_ROLE_WRONG: /, () => bytesBy({}, { member: un, role: 'node' })],
    ["by another member's officer", /^ORDER_NOT_AUTHORISED: SENDER_NOT_TOPIC_OWNER: /, () => bytesBy({}, { member: de, role: 'purge-officer' })],
    ['by a key that nobody lists', /^ORDER_NOT_AUTHORISED: KEY_UNKNOWN: /, () => signAs(testFederation([memberOf('xx')]), { member: memberOf('xx'), role: 'purge-officer' }, 'PurgeOrder', usual).bytes],
    ['that was altered after it was signed', /^ORDER_NOT_AUTHORISED: SIGNATURE_INVALID: /, () => altered(bytesBy({}))],
    ['that cannot be read, as what it is: malformed', /^RECORD_MALFORMED: /, () => bytesBy({}).subarray(0, 40)],
  ])('%s', (_name, refusal, bytes) => {
    expect(read(bytes())).toMatch(refusal);
  });

  test('under the id of another order, even of one that would be taken', () => {
    const known = bytesBy({ ids: [eventId(7)] });
    expect(read(bytesBy({}), { known: () => known })).toMatch(/^ORDER_INVALID: .*the id of another order/);
  });
});

function altered(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy.set([(copy.at(-1) ?? 0) ^ 1], copy.length - 1);
  return copy;
}
