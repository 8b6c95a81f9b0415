import { ConcordatError, fieldError } from '@concordat/common/domain/errors.js';
import { parseOrderId } from '@concordat/common/domain/ids.js';
import type { ChildService } from '@concordat/common/io/rpc/definitions.js';
import type { Handlers } from '@concordat/common/io/rpc/server.js';
import type { RevocationContext } from './context.js';

/** For other members' revocation services: the proof that what was derived from their events is gone. */
export function childCalls({
  store,
}: Pick<RevocationContext, 'store'>): Handlers<typeof ChildService> {
  return {
    childCertificate: async ({ orderId }, { caller }) => {
      const id = parseOrderId(orderId);
      if (!id.ok) throw fieldError('REQUEST_INVALID', 'order_id', 'expected a UUID');
      const dsseJson = store.children.isWaitedFor(id.value, caller.member)
        ? store.orders.certificate(id.value)
        : undefined;
      if (dsseJson !== undefined) return { dsseJson };
      // whoever derived nothing from the caller's events tells it nothing of its orders
      const text = `expected an order for events derived from those of ${caller.member}`;
      throw new ConcordatError('ORDER_UNKNOWN', text);
    },
  };
}
