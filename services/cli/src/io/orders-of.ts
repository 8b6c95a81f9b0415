import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { OrderId } from '@concordat/common/domain/ids.js';
import type { ClientOf } from '@concordat/common/io/rpc/client.js';
import type { PurgeService } from '@concordat/common/io/rpc/definitions.js';
import { partIds } from '../domain/purge-plan.js';
import type { OrderAnswer } from '../domain/purge-progress.js';

/** Every order of a purge, without their events. @throws ConcordatError ORDER_UNKNOWN when there is none */
export async function ordersOf(
  revocation: ClientOf<typeof PurgeService>,
  first: OrderId,
  call: Parameters<typeof revocation.statusOfMany>[1],
): Promise<readonly OrderAnswer[]> {
  const { orders } = await revocation.statusOfMany({ orderIds: partIds(first) }, call);
  if (orders.length > 0) return orders;
  throw new ConcordatError('ORDER_UNKNOWN', `expected an order of ours, ${first} is none`);
}
