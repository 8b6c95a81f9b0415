import type { UnixMs } from '@concordat/common/domain/ids.js';
import { type Unordered, ruleFor, ruleOrder } from '../domain/rule-orders.js';
import { addOrder, orderMaker } from './add-order.js';
import type { RevocationContext } from './context.js';

/** Orders of one commit. */
const ORDERS_PER_COMMIT = 100;

/**
 * Orders what rules take back: the superseded at once, the others at the end of their retention. Order and claim commit
 * together, so an event is never ordered twice.
 *
 * @returns true when there may be more: at most ORDERS_PER_COMMIT are made at a time
 */
export function makeRuleOrders(
  context: RevocationContext,
  which: 'superseded' | 'all',
  nowMs: UnixMs,
): boolean {
  const { ledger, db } = context.store;
  return db.transaction(() => {
    const superseded = ledger.superseded(ORDERS_PER_COMMIT);
    const left = ORDERS_PER_COMMIT - superseded.length;
    for (const event of superseded) makeOrder(context, event, nowMs);
    const over = which === 'all' ? ledger.retentionOver(nowMs, left) : [];
    for (const event of over) makeOrder(context, event, nowMs);
    return superseded.length + over.length === ORDERS_PER_COMMIT;
  });
}

function makeOrder(context: RevocationContext, event: Unordered, nowMs: UnixMs): void {
  const { store } = context;
  const rule = ruleFor(event, nowMs);
  if (!rule) return;
  const order = ruleOrder(orderMaker(context), rule);
  store.ledger.claim(order);
  // the same rule may have ordered it before; its bytes stand, whatever the time is now
  if (!store.orders.find(order.orderId)) addOrder(context, order, nowMs);
}
