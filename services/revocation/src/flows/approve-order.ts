import {
  PEOPLE_NEEDED,
  needsSecondPerson,
  readApproval,
} from '@concordat/common/domain/approvals.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { OrderId } from '@concordat/common/domain/ids.js';
import { isLeave } from '@concordat/common/domain/purge-order.js';
import type { PurgeOrder } from '@concordat/common/domain/records.js';
import { type Verified, verifyStatement } from '@concordat/common/domain/statement.js';
import type { StoredOrder } from '../io/order-rows.js';
import type { RevocationContext } from './context.js';

/** The people behind an order, besides whoever signed it. */
export interface Standing {
  readonly approvals: number;
  /** 0: it needs none */
  readonly approvalsNeeded: number;
}

/** @param order one of ours: it was checked when it came */
export function approvalStanding(
  { keys, store, approvalsAbove }: RevocationContext,
  order: PurgeOrder,
  isAwaiting: boolean,
): Standing {
  const key = keys.find(order.keyId);
  const limit = { above: approvalsAbove, alone: 0 };
  const isNeeded = key !== undefined && needsSecondPerson({ key, value: order }, limit);
  const ofSigner = key?.person === undefined ? 0 : 1;
  const approvals = store.orders.approversOf(order.orderId).length;
  return {
    approvals,
    // its signer may have ordered others before, and the node's limit may be another one; who needs nobody is approved by nobody
    approvalsNeeded: isNeeded || isAwaiting || approvals > 0 ? PEOPLE_NEEDED - ofSigner : 0,
  };
}

/**
 * Takes another person's approval of an order that waits for it; durable when it returns. With enough people the order goes
 * on, unless a rule or another order took an event of it meanwhile: then it never will.
 *
 * @throws ConcordatError ORDER_UNKNOWN, ORDER_NOT_AUTHORISED, APPROVAL_INVALID, APPROVAL_SAME_PERSON
 */
export function takeApproval(context: RevocationContext, bytes: Uint8Array): OrderId {
  const { store } = context;
  const stored = orderOf(context, bytes);
  const order = verifiedOrder(context, stored);
  const { orderId } = stored;
  const approval = readApproval(context, order, bytes);
  if (!approval.ok) {
    store.chains.count(`approvals.refused.${approval.error.code}`);
    throw approval.error;
  }
  const { person } = approval.value.key;
  if (person === undefined) throw new TypeError('an approval without a person was counted');
  const isRepeated = store.orders.approversOf(orderId).includes(person);
  if (isRepeated && stored.life.kind !== 'awaiting') return orderId;
  demandAwaiting(context, stored);
  store.db.transaction(() => {
    store.orders.addApproval(orderId, person, bytes);
    const { approvals, approvalsNeeded } = approvalStanding(context, order.value, true);
    if (approvals >= approvalsNeeded) release(context, order.value);
  });
  return orderId;
}

/** Read before it is checked, to learn which order it speaks of. */
function orderOf({ codec, store }: RevocationContext, bytes: Uint8Array): StoredOrder {
  const signed = codec.decode('Signed', bytes);
  const approval = signed.ok ? codec.decode('PurgeApproval', signed.value.payload) : signed;
  if (!approval.ok) throw approval.error;
  const order = store.orders.find(approval.value.orderId);
  if (order) return order;
  const text = `expected an order of ours, ${approval.value.orderId} is none`;
  throw new ConcordatError('ORDER_UNKNOWN', text);
}

function verifiedOrder(
  { codec, keys, self }: RevocationContext,
  { bytes }: StoredOrder,
): Verified<'PurgeOrder'> {
  const order = verifyStatement(codec, keys, 'PurgeOrder', bytes, { signer: self });
  if (!order.ok) throw order.error;
  return order.value;
}

function demandAwaiting({ clock }: RevocationContext, { life, deadlineMs }: StoredOrder): void {
  if (life.kind !== 'awaiting') {
    const text = `expected an order that waits for an approval, this one is ${life.kind}`;
    throw new ConcordatError('APPROVAL_INVALID', text);
  }
  if (clock.nowMs() > deadlineMs) {
    const text = "expected an approval before the order's own deadline, which has passed";
    throw new ConcordatError('APPROVAL_INVALID', `${text}: order again`);
  }
}

/** An order that waits holds no event back from rules and other orders, so it takes its events only now. */
function release({ store }: RevocationContext, order: PurgeOrder): void {
  const { orderId, ids, recipients } = order;
  if (isLeave(order)) {
    const leaver = recipients.find((member) => store.leavers.find(member));
    if (leaver === undefined) store.orders.advance(orderId, { kind: 'leaveApproved' });
    else refuseForGood(store, orderId, `${leaver} leaves already or has left`);
    return;
  }
  const gone = ids.filter((id) => store.ledger.standing(id) !== 'free').length;
  if (gone === 0) {
    store.orders.advance(orderId, { kind: 'approved' });
    store.ledger.claim(order);
    return;
  }
  const text = `another order took ${gone} of its ${ids.length} events meanwhile: order the others again`;
  refuseForGood(store, orderId, text);
}

function refuseForGood(
  { orders }: RevocationContext['store'],
  orderId: OrderId,
  why: string,
): void {
  orders.advance(orderId, { kind: 'sealRefused' });
  orders.rest(orderId, `ORDER_INVALID: ${why}`, 0);
}
