import type { UnixMs } from '@concordat/common/domain/ids.js';
import type { PurgeOrder } from '@concordat/common/domain/records.js';
import { signStatement } from '@concordat/common/domain/statement.js';
import type { OrderMaker } from '../domain/derived-order.js';
import type { RevocationContext } from './context.js';

/** In whose name this service makes orders by rule. */
export function orderMaker({
  keys,
  self,
  signer,
  ruleOrderDeadlineMs,
}: RevocationContext): OrderMaker {
  return {
    ...{ federation: keys.federation, origin: self, keyId: signer.keyId },
    deadlineInMs: ruleOrderDeadlineMs,
  };
}

/** Signs an order by rule that is not stored yet; for the commit that finds its fact. */
export function addOrder(
  { codec, signer, store }: RevocationContext,
  order: PurgeOrder,
  nowMs: UnixMs,
): void {
  const { bytes } = signStatement(codec, signer, 'PurgeOrder', order);
  store.orders.add(order, bytes, nowMs);
  store.chains.count(`orders.made.${order.reason}`);
}
