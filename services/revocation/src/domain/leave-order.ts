import { utf8 } from '@concordat/common/domain/bytes.js';
import {
  type EventId,
  type MemberId,
  type OrderId,
  type UnixMs,
  asUnixMs,
  idBytes,
} from '@concordat/common/domain/ids.js';
import type { PurgeOrder } from '@concordat/common/domain/records.js';
import { SUITE } from '@concordat/common/domain/statement.js';
import { type OrderMaker, derivedOrderId } from './derived-order.js';

/** The fact that takes everything back from a member, as the own node has signed it. */
export interface Leaving {
  readonly member: MemberId;
  readonly sinceMs: UnixMs;
  /** how long it has to answer */
  readonly termMs: number;
}

/**
 * Takes these events back from a member that leaves, and from nobody else. Every byte follows from the fact and the events:
 * a restart makes the very same order, and other events make one of another id.
 *
 * @param ids at most ORDER_IDS_MAX
 */
export function leaverOrder(
  by: Omit<OrderMaker, 'deadlineInMs'>,
  { member, sinceMs, termMs }: Leaving,
  ids: readonly EventId[],
): PurgeOrder {
  return {
    suite: SUITE,
    federation: by.federation,
    origin: by.origin,
    keyId: by.keyId,
    orderId: leaverOrderId(by, { member, sinceMs, termMs }, ids),
    issuedAtMs: sinceMs,
    deadlineMs: asUnixMs(sinceMs + termMs),
    reason: 'partner_withdrawn',
    ids,
    supersededBy: null,
    recipients: [member],
    sections: [],
    cause: null,
  };
}

function leaverOrderId(
  place: Pick<OrderMaker, 'federation' | 'origin'>,
  { member, sinceMs, termMs }: Leaving,
  ids: readonly EventId[],
): OrderId {
  const facts = [member, String(sinceMs), String(termMs)].map((text) => utf8(text));
  return derivedOrderId('concordat leaver order v1', place, ...facts, ...ids.map(idBytes));
}
