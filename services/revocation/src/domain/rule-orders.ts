import { utf8 } from '@concordat/common/domain/bytes.js';
import {
  type EventId,
  type OrderId,
  type UnixMs,
  asUnixMs,
  idBytes,
} from '@concordat/common/domain/ids.js';
import { WHOLE_COVER, isRuleReason } from '@concordat/common/domain/purge-order.js';
import type { PurgeOrder } from '@concordat/common/domain/records.js';
import { SUITE } from '@concordat/common/domain/statement.js';
import { type OrderMaker, derivedOrderId } from './derived-order.js';

/** The event that replaces another, and when the ledger says that both are published. */
export interface Successor {
  readonly id: EventId;
  readonly publishedAtMs: UnixMs;
}

/** What the ledger says about a published event that no order covers yet. */
export interface Unordered {
  readonly id: EventId;
  readonly retainUntilMs: UnixMs;
  readonly supersededBy: Successor | null;
}

/** A fact that takes an event back, and since when it is one. */
export type Rule = { readonly id: EventId; readonly sinceMs: UnixMs } & (
  | { readonly reason: 'superseded'; readonly supersededBy: EventId }
  | { readonly reason: 'retention'; readonly supersededBy: null }
);

/** Which rule, if any, takes this event back now? Supersession first: it does not wait for a date. */
export function ruleFor(
  { id, retainUntilMs, supersededBy }: Unordered,
  nowMs: UnixMs,
): Rule | undefined {
  if (supersededBy !== null) {
    const { id: successor, publishedAtMs } = supersededBy;
    return { reason: 'superseded', id, supersededBy: successor, sinceMs: publishedAtMs };
  }
  if (retainUntilMs > nowMs) return undefined;
  return { reason: 'retention', id, supersededBy: null, sinceMs: retainUntilMs };
}

/** Derived from event and reason alone, so that the same fact never makes a second order. */
export function ruleOrderId(
  place: Pick<OrderMaker, 'federation' | 'origin'>,
  rule: Pick<Rule, 'id' | 'reason'>,
): OrderId {
  return derivedOrderId('concordat rule order v1', place, idBytes(rule.id), utf8(rule.reason));
}

/** Every byte follows from the fact: a service that lost its database makes the very order that the node has sealed. */
export function ruleOrder(by: OrderMaker, rule: Rule): PurgeOrder {
  const { federation, origin, keyId, deadlineInMs } = by;
  return {
    suite: SUITE,
    federation,
    origin,
    keyId,
    orderId: ruleOrderId(by, rule),
    issuedAtMs: rule.sinceMs,
    deadlineMs: asUnixMs(rule.sinceMs + deadlineInMs),
    reason: rule.reason,
    ids: [rule.id],
    supersededBy: rule.supersededBy,
    ...WHOLE_COVER,
    cause: null,
  };
}

/**
 * Until when a holder has to answer an entry that is written now. A person's deadline is what it says; a rule gives the
 * same time to everybody, counted from the entry, if the order was made or sealed long after the fact.
 *
 * @param isByRule for a reason that both may give: whose key signed it
 */
export function answerBy(
  { reason, issuedAtMs, deadlineMs }: Pick<PurgeOrder, 'reason' | 'issuedAtMs' | 'deadlineMs'>,
  nowMs: UnixMs,
  isByRule: boolean = isRuleReason(reason),
): UnixMs {
  if (!isByRule) return deadlineMs;
  return asUnixMs(Math.max(deadlineMs, nowMs + deadlineMs - issuedAtMs));
}
