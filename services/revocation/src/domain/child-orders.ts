import {
  type EventId,
  type Hash,
  type MemberId,
  type OrderId,
  type UnixMs,
  asUnixMs,
  idBytes,
} from '@concordat/common/domain/ids.js';
import { WHOLE_COVER } from '@concordat/common/domain/purge-order.js';
import type { PurgeOrder } from '@concordat/common/domain/records.js';
import { SUITE } from '@concordat/common/domain/statement.js';
import { type OrderMaker, derivedOrderId } from './derived-order.js';

const CHILD_ORDER = 'concordat child order v1';

/** An own event that has to go, and the first entry of another member that obliges to it. */
export interface ChildDuty {
  readonly child: EventId;
  readonly origin: MemberId;
  readonly orderId: OrderId;
  readonly entryHash: Hash;
  readonly entryTimeMs: UnixMs;
  readonly parents: readonly EventId[];
  /** every member that waits for the child's certificate */
  readonly origins: readonly MemberId[];
}

/**
 * The order that purges a child, whole and everywhere. Every byte follows from the duty: a service that lost its database
 * makes the very order that the node has sealed.
 */
export function childOrder(by: OrderMaker, duty: ChildDuty): PurgeOrder {
  const { federation, origin, keyId, deadlineInMs } = by;
  return {
    ...{ suite: SUITE, federation, origin, keyId },
    orderId: derivedOrderId(CHILD_ORDER, by, idBytes(duty.child), duty.entryHash),
    issuedAtMs: duty.entryTimeMs,
    deadlineMs: asUnixMs(duty.entryTimeMs + deadlineInMs),
    reason: 'parent_purged',
    ids: [duty.child],
    supersededBy: null,
    ...WHOLE_COVER,
    cause: {
      origin: duty.origin,
      orderId: duty.orderId,
      entryHash: duty.entryHash,
      parents: duty.parents,
    },
  };
}
