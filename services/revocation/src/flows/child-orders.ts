import { parseDsseJson } from '@concordat/common/domain/dsse-json.js';
import { asConcordatError } from '@concordat/common/domain/errors.js';
import type { UnixMs } from '@concordat/common/domain/ids.js';
import { statementHash } from '@concordat/common/domain/statement.js';
import { type ChildDuty, childOrder } from '../domain/child-orders.js';
import { addOrder, orderMaker } from './add-order.js';
import type { ClosedDuty, RevocationContext } from './context.js';

/**
 * Own events whose parents other members took back: each is ordered back, once, and when the certificate is there the node
 * learns it. The node keeps the duties and tells them until then, so nothing of this has to be remembered here.
 *
 * @param onOrders told when orders were made
 */
export async function serveDuties(
  context: RevocationContext,
  onOrders: () => void,
  signal: AbortSignal,
): Promise<void> {
  const { derived, store, clock, logger } = context;
  try {
    const duties = await derived.listDuties(signal);
    if (duties.length === 0) return;
    const done = store.db.transaction(() =>
      duties.flatMap((duty) => serveDuty(context, duty, clock.nowMs()) ?? []),
    );
    onOrders();
    for (const one of done) await derived.closeDuty(one, signal);
  } catch (cause) {
    const error = asConcordatError(cause);
    if (!signal.aborted) logger.warn('duties of derived events wait', { error });
  }
}

/** @returns what the node has to learn */
function serveDuty(
  context: RevocationContext,
  duty: ChildDuty,
  nowMs: UnixMs,
): ClosedDuty | undefined {
  const { store } = context;
  const { child, origins } = duty;
  const orderId = store.ledger.orderOf(child);
  if (orderId === undefined) {
    // what the own ledger has not said yet is ordered on one of the next looks
    if (store.ledger.standing(child) === 'free') makeOrder(context, duty, nowMs);
    return undefined;
  }
  const certificate = store.orders.certificate(orderId);
  if (certificate === undefined) return undefined;
  const signed = parseDsseJson(certificate);
  if (!signed.ok) throw signed.error;
  store.children.allow(orderId, origins);
  return { child, orderId, certificateHash: statementHash(signed.value) };
}

function makeOrder(context: RevocationContext, duty: ChildDuty, nowMs: UnixMs): void {
  const { store } = context;
  const order = childOrder(orderMaker(context), duty);
  store.ledger.claim(order);
  if (!store.orders.find(order.orderId)) addOrder(context, order, nowMs);
}
