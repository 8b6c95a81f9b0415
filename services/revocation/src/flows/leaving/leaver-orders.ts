import type { EventId, OrderId } from '@concordat/common/domain/ids.js';
import { leaverOrder } from '../../domain/leave-order.js';
import { ORDER_IDS_MAX } from '../../domain/officer-order.js';
import type { Leaver } from '../../io/leaver-rows.js';
import { addOrder, orderMaker } from '../add-order.js';
import type { RevocationContext } from '../context.js';

/**
 * Orders back from a leaving member what no order takes back yet: one order a call, and one commit. What another order takes
 * back from everybody is that order's, and the member answers to it.
 *
 * @returns true when there may be more
 */
export function orderFromLeaver(context: RevocationContext, leaver: Leaver): boolean {
  const { leavers, db } = context.store;
  const { member } = leaver;
  return db.transaction(() => {
    const ids = leavers.unordered(member, ORDER_IDS_MAX);
    const free = ids.filter((id) => !isOrdered(context, leaver, id));
    if (free.length > 0 && !makeOrder(context, leaver, free)) return false;
    return ids.length > 0;
  });
}

function isOrdered({ store }: RevocationContext, { member }: Leaver, id: EventId): boolean {
  const by = store.ledger.orderedBy(id);
  if (by === undefined || store.orders.find(by)?.life.kind === 'refused') return false;
  store.leavers.setOrder(member, [id], by);
  return true;
}

/** @returns false when the own node refused this very order for good: what it says must change first */
function makeOrder(
  context: RevocationContext,
  leaver: Leaver,
  ids: readonly EventId[],
): OrderId | undefined {
  const { store, clock } = context;
  const order = leaverOrder(orderMaker(context), leaver, ids);
  const { orderId } = order;
  const before = store.orders.find(orderId);
  if (before?.life.kind === 'refused') return undefined;
  store.leavers.setOrder(leaver.member, ids, orderId);
  if (!before) addOrder(context, order, clock.nowMs());
  return orderId;
}
