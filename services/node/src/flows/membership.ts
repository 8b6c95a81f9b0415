import { approvalProblem, countApprovals } from '@concordat/common/domain/approvals.js';
import { nextLink } from '@concordat/common/domain/chain.js';
import { cloudEventHeaders } from '@concordat/common/domain/cloud-event.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import { leaveProblem } from '@concordat/common/domain/purge-order.js';
import type { MembershipChange } from '@concordat/common/domain/records.js';
import {
  SUITE,
  type Verified,
  signStatement,
  verifyStatement,
} from '@concordat/common/domain/statement.js';
import { membershipTopic } from '@concordat/common/domain/topics.js';
import type { StoredChange } from '../io/state/membership-table.js';
import type { NodeContext } from './context.js';

/**
 * Lets a member go: from the commit on no key leaves to it. The order names that member as its only recipient, and no event:
 * what it holds is ordered back by others, once the ledger is read to its end. Two people always, however little it holds.
 *
 * @returns the signed change, with the broker; the same one whoever asks again
 * @throws ConcordatError ORDER_INVALID, ORDER_NOT_AUTHORISED, ORDER_NEEDS_APPROVAL
 */
export async function letMemberGo(
  context: NodeContext,
  orderBytes: Uint8Array,
  approvals: readonly Uint8Array[],
): Promise<Uint8Array> {
  const { codec, keys, self, state } = context;
  const order = verifyStatement(codec, keys, 'PurgeOrder', orderBytes, { signer: self });
  if (!order.ok) throw order.error;
  const member = leaverIn(order.value);
  const before = state.membership.find(member, 'LEAVING');
  if (!before) {
    const counted = countApprovals(context, order.value, approvals);
    const lacking = approvalProblem(order.value, counted, {
      above: context.approvalsAbove,
      alone: 0,
    });
    if (lacking) throw lacking;
  }
  const { reason } = order.value.value;
  return sent(context, before ?? commitChange(context, { member, stage: 'LEAVING', reason }));
}

/**
 * Everything that the member held is answered, as the own revocation service says.
 *
 * @throws ConcordatError ORDER_INVALID for a member that does not leave
 */
export async function letMemberBeGone(context: NodeContext, member: MemberId): Promise<Uint8Array> {
  const { state } = context;
  const leaving = state.membership.find(member, 'LEAVING');
  if (!leaving) {
    throw new ConcordatError('ORDER_INVALID', `expected a member that leaves, ${member} does not`);
  }
  const before = state.membership.find(member, 'LEFT');
  const { reason } = leaving;
  return sent(context, before ?? commitChange(context, { member, stage: 'LEFT', reason }));
}

function leaverIn({ key, value }: Verified<'PurgeOrder'>): MemberId {
  if (key.role !== 'purge-officer') {
    const text = `expected a purge officer's order, came one by role ${key.role}`;
    throw new ConcordatError('ORDER_NOT_AUTHORISED', text);
  }
  const problem = leaveProblem(value);
  const [member] = value.recipients;
  if (problem === undefined && member !== undefined) return member;
  throw new ConcordatError('ORDER_INVALID', problem ?? 'expected one member');
}

function commitChange(
  { state, codec, signer, keys, self, clock }: NodeContext,
  change: Pick<MembershipChange, 'member' | 'stage' | 'reason'>,
): StoredChange {
  const topic = membershipTopic(self);
  return state.db.transaction(() => {
    const head = state.chains.ownHead(topic);
    const statement: MembershipChange = {
      ...{ suite: SUITE, federation: keys.federation, origin: self, keyId: signer.keyId },
      ...nextLink(head),
      ...{ timeMs: clock.nowMs(), ...change },
    };
    const { bytes, hash } = signStatement(codec, signer, 'MembershipChange', statement);
    const { epoch, number } = statement;
    state.chains.advanceOwn(topic, head, { epoch, number, hash });
    const about = { kind: 'membership-change', source: self, chain: topic, epoch, number };
    const seq = state.chains.enqueue(topic, 0, { value: bytes, headers: cloudEventHeaders(about) });
    const stored = { ...change, bytes, seq };
    state.membership.add(stored);
    return stored;
  });
}

async function sent(
  { outbox, self }: NodeContext,
  { bytes, seq }: StoredChange,
): Promise<Uint8Array> {
  outbox.wake(membershipTopic(self), 0);
  await outbox.acknowledged(membershipTopic(self), 0, seq);
  return bytes;
}
