import type { ConcordatError } from '@concordat/common/domain/errors.js';
import type { OrderId } from '@concordat/common/domain/ids.js';
import type { RevocationContext } from './context.js';

const RETRY_MS_MIN = 200;
const RETRY_MS_MAX = 5_000;
/** A refusal is asked about again this late: the node's clock or federation file may have been behind. */
const REFUSED_REST_MS = 60_000;

/** An order does not go on for now: it rests the longer the oftener that happens, and says why. */
export function restOrder(
  { store, clock, logger }: RevocationContext,
  id: OrderId,
  error: ConcordatError,
): void {
  const attempts = store.orders.find(id)?.attempts ?? 0;
  const pauseMs = error.retryable
    ? Math.min(RETRY_MS_MIN * 2 ** Math.min(attempts, 16), RETRY_MS_MAX)
    : REFUSED_REST_MS;
  store.orders.rest(id, `${error.code}: ${error.message}`, clock.monotonicMs() + pauseMs);
  logger.warn('an order waits', { orderId: id, attempt: attempts + 1, error });
}
