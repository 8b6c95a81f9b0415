import { equalBytes } from '../bytes.js';
import type { Certificate } from '../records.js';
import { isWhole, mayOrder } from '../purge-order.js';
import type { Verified } from '../statement.js';
import { type Reading, demand, isSet, sameSet } from './rules.js';

/** May its signer order this, and is it an order at all? */
export function checkOrder(reading: Reading, bytes: Uint8Array): Verified<'PurgeOrder'> {
  const order = reading.statement('O1', 'PurgeOrder', bytes);
  const { ids, reason, recipients, sections, cause, origin } = order.value;
  demand(
    mayOrder(order.key.role, reason),
    'O2',
    `order: role ${order.key.role} may not order for reason ${reason}`,
  );
  demand(ids.length > 0, 'O3', 'order: covers nothing');
  demand(isSet(ids), 'O3', 'order: an id stands twice');
  demand(isSet(recipients) && isSet(sections), 'O4', 'order: its cover names something twice');
  demand((reason === 'parent_purged') === (cause !== null), 'O5', 'order: reason and cause');
  if (cause) {
    demand(isWhole(order.value), 'O5', 'order: a derived event is purged whole');
    const { parents } = cause;
    demand(parents.length > 0 && isSet(parents), 'O5', 'order: a cause without parents');
    demand(cause.origin !== origin, 'O5', 'order: caused by the origin itself');
  }
  return order;
}

/** Is this the seal of exactly this order? Its holders are compared with the ledger later. */
export function checkSeal(
  reading: Reading,
  bytes: Uint8Array,
  order: Verified<'PurgeOrder'>,
): Verified<'SealRecord'> {
  const seal = reading.statement('SR1', 'SealRecord', bytes);
  const { orderId, orderHash, ids, recipients, sections } = seal.value;
  demand(orderId === order.value.orderId, 'SR2', 'seal record: of another order');
  demand(equalBytes(orderHash, order.hash), 'SR2', 'seal record: of another order');
  demand(sameSet(ids, order.value.ids), 'SR3', 'seal record: covers other events');
  const isSameCover =
    sameSet(recipients, order.value.recipients) && sameSet(sections, order.value.sections);
  demand(isSameCover, 'SR4', 'seal record: another cover');
  return seal;
}

/**
 * The approvals that the node counted, each by another person.
 *
 * @returns how many people signed, the order's signer included; a key without a person is nobody
 */
export function checkApprovals(
  reading: Reading,
  approvals: Certificate['approvals'],
  order: Verified<'PurgeOrder'>,
  seal: Verified<'SealRecord'>,
): number {
  const counted = seal.value.approvals;
  demand(approvals.length === counted.length, 'A1', 'approvals: not exactly those of the seal');
  const people = new Set<string>();
  if (order.key.person !== undefined) people.add(order.key.person);
  for (const [at, bytes] of approvals.entries()) {
    const { value, hash, key } = reading.statement('A1', 'PurgeApproval', bytes);
    const isCounted = counted[at] !== undefined && equalBytes(counted[at], hash);
    demand(isCounted, 'A1', 'approvals: not exactly those of the seal');
    const isOfOrder =
      value.orderId === order.value.orderId && equalBytes(value.orderHash, order.hash);
    demand(isOfOrder, 'A2', 'approval: of another order');
    demand(key.person !== undefined, 'A3', 'approval: by a key that names no person');
    demand(!people.has(key.person), 'A3', 'approval: by a person who signed already');
    people.add(key.person);
  }
  return people.size;
}
