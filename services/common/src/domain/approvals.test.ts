import { describe, expect, test } from '@jest/globals';
import { codec, memberOf, testFederation } from '../../../../test/support/federation.js';
import { officerApproval, officerOrder, orderId } from '../../../../test/support/ledger.js';
import { eventId } from '../../../../test/support/origin.js';
import { approvalProblem, countApprovals, orderedAloneBy, readApproval } from './approvals.js';
import { ZERO_HASH, sha256 } from './bytes.js';
import { type Verified, verifyStatement } from './statement.js';

const UN = memberOf('un');
const members = testFederation([UN, memberOf('de')]);
const facts = { codec, keys: members.keys };
const ids = [1, 2, 3].map(eventId);
const bytes = officerOrder(members, { orderId: orderId(1), ids });

function verified(order: Uint8Array): Verified<'PurgeOrder'> {
  const read = verifyStatement(codec, members.keys, 'PurgeOrder', order, { signer: UN });
  if (!read.ok) throw read.error;
  return read.value;
}

const order = verified(bytes);
const other = officerOrder(members, { orderId: orderId(1), ids: ids.slice(1) });
const approve = (
  ...given: Parameters<typeof officerApproval> extends [unknown, ...infer Rest] ? Rest : never
) => officerApproval(members, ...given);
const people = (...approvals: readonly Uint8Array[]) => [
  ...countApprovals(facts, order, approvals).people,
];

describe('an approval counts', () => {
  test('when another person signed it, and once', () => {
    const approval = approve(bytes);
    expect(
      people(approval, approval, approve(bytes, {}, { timeMs: order.value.issuedAtMs })),
    ).toEqual(['officer-1', 'officer-2']);
    const read = readApproval(facts, order, approval);
    expect(countApprovals(facts, order, [approval, approval]).hashes).toEqual([
      read.ok && read.value.hash,
    ]);
  });

  test.each<[string, Uint8Array, string]>([
    ['by who signed the order', approve(bytes, { officer: 1 }), 'APPROVAL_SAME_PERSON'],
    ['by the same person with another key', approve(bytes, { officer: 3 }), 'APPROVAL_SAME_PERSON'],
    ['by a key of nobody', approve(bytes, { officer: 4 }), 'APPROVAL_INVALID'],
    ['of another order', approve(bytes, {}, { orderId: orderId(2) }), 'APPROVAL_INVALID'],
    ['of another order under this id', approve(other), 'APPROVAL_INVALID'],
    ['of no order', approve(bytes, {}, { orderHash: ZERO_HASH }), 'APPROVAL_INVALID'],
    ['by another role', approve(bytes, { role: 'node', officer: 1 }), 'ORDER_NOT_AUTHORISED'],
    ['for another member', approve(bytes, {}, { origin: memberOf('de') }), 'ORDER_NOT_AUTHORISED'],
    ['that is the order itself', bytes, 'RECORD_MALFORMED'],
    ['that is none at all', sha256(bytes), 'RECORD_MALFORMED'],
    ['with a signature of others', forged(approve(bytes)), 'ORDER_NOT_AUTHORISED'],
  ])('never %s', (_name, approval, code) => {
    expect(readApproval(facts, order, approval)).toMatchObject({ ok: false, error: { code } });
    expect(people(approval)).toEqual(['officer-1']);
  });

  test('alone, when nobody knows whose key signed the order', () => {
    const who = { member: UN, role: 'purge-officer', officer: 4 } as const;
    const nameless = officerOrder(members, { orderId: orderId(1), ids }, who);
    const approvals = ([1, 2] as const).map((officer) => approve(nameless, { officer }));
    const counted = (some: readonly Uint8Array[]) =>
      countApprovals(facts, verified(nameless), some).people.size;
    expect([counted([]), counted(approvals.slice(1)), counted(approvals)]).toEqual([0, 1, 2]);
  });
});

/** Another bit in the last byte, which is of the signature. */
function forged(approval: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(approval);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  return bytes;
}

test.each<[above: number, alone: number, approved: boolean, code: string | undefined]>([
  [3, 0, false, undefined],
  [2, 0, false, 'ORDER_NEEDS_APPROVAL'],
  [2, 0, true, undefined],
  [0, 0, false, 'ORDER_NEEDS_APPROVAL'],
  [5, 2, false, undefined],
  [5, 3, false, 'ORDER_NEEDS_APPROVAL'],
  [5, 3, true, undefined],
])(
  'an order of 3 events above %i, after %i alone, approved: %s',
  (above, alone, approved, code) => {
    const approvals = countApprovals(facts, order, approved ? [approve(bytes)] : []);
    expect(approvalProblem(order, approvals, { above, alone })?.code).toBe(code);
  },
);

test('what one person orders is counted for that person, what two or a rule order for nobody', () => {
  const by = (who: Parameters<typeof officerOrder>[2], ...approvals: readonly Uint8Array[]) => {
    const one = verified(officerOrder(members, { orderId: orderId(1), ids }, who));
    return orderedAloneBy(one, countApprovals(facts, one, approvals));
  };
  const officer = (n: 1 | 2 | 3 | 4) =>
    ({ member: UN, role: 'purge-officer', officer: n }) as const;
  expect(by(officer(1))).toBe('officer-1');
  expect(by(officer(3))).toBe('officer-1');
  // keys of nobody share one count
  expect(by(officer(4))).toBe('');
  expect(orderedAloneBy(order, countApprovals(facts, order, [approve(bytes)]))).toBeUndefined();
  expect(by({ member: UN, role: 'revocation' })).toBeUndefined();
});

test('what a rule orders needs no person', () => {
  const who = { member: UN, role: 'revocation' } as const;
  const rule = verified(
    officerOrder(members, { orderId: orderId(1), ids, reason: 'retention' }, who),
  );
  expect(
    approvalProblem(rule, countApprovals(facts, rule, []), { above: 0, alone: 0 }),
  ).toBeUndefined();
});
