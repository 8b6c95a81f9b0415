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
import { ORDER_IDS_MAX } from './officer-order.js';

/** Events of which one recipient holds what would be withheld from it today, as the own node says. */
export interface ScopeLoss {
  readonly recipient: MemberId;
  /** empty: whole events */
  readonly sections: readonly string[];
  readonly ids: readonly EventId[];
}

/** Pieces of what an order may have. */
export function piecesOf(loss: ScopeLoss): ScopeLoss[] {
  const pieces: ScopeLoss[] = [];
  for (let at = 0; at < loss.ids.length; at += ORDER_IDS_MAX) {
    pieces.push({ ...loss, ids: loss.ids.slice(at, at + ORDER_IDS_MAX) });
  }
  return pieces;
}

/**
 * Derived from what is lost, so that the same loss never makes two orders at once.
 *
 * @param attempt how many orders for the very same loss are over already: a policy may go back and forth
 */
export function scopeOrderId(
  place: Pick<OrderMaker, 'federation' | 'origin'>,
  { recipient, sections, ids }: ScopeLoss,
  attempt: number,
): OrderId {
  const facts = [recipient, sections.join(' '), String(attempt)].map((text) => utf8(text));
  return derivedOrderId('concordat scope order v1', place, ...facts, ...ids.map(idBytes));
}

export function scopeOrder(
  by: OrderMaker,
  { recipient, sections, ids }: ScopeLoss,
  { orderId, nowMs }: { readonly orderId: OrderId; readonly nowMs: UnixMs },
): PurgeOrder {
  const { federation, origin, keyId, deadlineInMs } = by;
  return {
    ...{ suite: SUITE, federation, origin, keyId, orderId },
    ...{ issuedAtMs: nowMs, deadlineMs: asUnixMs(nowMs + deadlineInMs) },
    ...{ reason: 'scope_changed', ids, supersededBy: null },
    ...{ recipients: [recipient], sections, cause: null },
  };
}
