import type { EventId, OrderId } from '@concordat/common/domain/ids.js';
import { parseOrderId } from '@concordat/common/domain/ids.js';
import type { OfficerReason } from '../domain/purge-order.js';
import { DOORS, withClient } from '../io/session.js';
import { signOrder } from '../io/sign-order.js';
import type { MemberOptions, Surroundings } from './options.js';
import type { World } from './world.js';

/** Signs an order with the key of the member's purge officer and hands it in; durable when this returns. */
export async function placeOrder(
  world: World,
  cover: { readonly ids: readonly EventId[]; readonly reason: OfficerReason },
  options: MemberOptions & { readonly deadline: number },
  { call }: Pick<Surroundings, 'call'>,
): Promise<OrderId> {
  const { home, member, deadline: deadlineMs } = options;
  const order = await signOrder(world, { home, member, deadlineMs, ...cover });
  const answer = await withClient(options, DOORS.purge, (revocation) =>
    revocation.order({ order }, call),
  );
  const orderId = parseOrderId(answer.orderId);
  if (!orderId.ok) throw new TypeError('expected the id of the order');
  return orderId.value;
}
