import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId, Hash, OrderId } from '@concordat/common/domain/ids.js';
import type { NodeContext } from './context.js';
import { finishBurials } from './finish-burials.js';
import { writeReceipts } from './honour-purge.js';

/**
 * The certificate of the order that purged an own event is complete: receipts that waited for it are signed.
 *
 * @throws ConcordatError ORDER_INVALID for another order than the one that sealed it
 */
export function closeDuty(
  context: NodeContext,
  done: { readonly child: EventId; readonly orderId: OrderId; readonly certificateHash: Hash },
): void {
  const { state, self } = context;
  const { child, orderId, certificateHash } = done;
  if (state.tombstones.orderOf(self, child) !== orderId || !state.children.isOwed(child)) {
    const text = `expected the order that purged ${child}, which was derived, came another`;
    throw new ConcordatError('ORDER_INVALID', text);
  }
  state.db.transaction(() => state.children.close(child, orderId, certificateHash));
  finishBurials(context);
  writeReceipts(context);
}
