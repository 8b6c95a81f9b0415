import { lengthPrefixed, sha256, utf8 } from '@concordat/common/domain/bytes.js';
import {
  type EventId,
  type MemberId,
  type OrderId,
  type UnixMs,
  asUnixMs,
  idBytes,
  orderIdOf,
} from '@concordat/common/domain/ids.js';
import type { PurgeOrder } from '@concordat/common/domain/records.js';
import { SUITE } from '@concordat/common/domain/statement.js';

/** What the ledger says about a published event that no order covers yet. */
export interface Unordered {
  readonly id: EventId;
  readonly retainUntilMs: UnixMs;
  readonly supersededBy: EventId | null;
}

export type Rule =
  | { readonly reason: 'superseded'; readonly id: EventId; readonly supersededBy: EventId }
  | { readonly reason: 'retention'; readonly id: EventId; readonly supersededBy: null };

/** Which rule, if any, takes this event back now? Supersession first: it does not wait for a date. */
export function ruleFor(
  { id, retainUntilMs, supersededBy }: Unordered,
  nowMs: UnixMs,
): Rule | undefined {
  if (supersededBy !== null) return { reason: 'superseded', id, supersededBy };
  return retainUntilMs <= nowMs ? { reason: 'retention', id, supersededBy: null } : undefined;
}

/** Derived from event and reason alone, so that the same fact never makes a second order. */
export function ruleOrderId(
  place: { readonly federation: string; readonly origin: MemberId },
  rule: Pick<Rule, 'id' | 'reason'>,
): OrderId {
  const digest = sha256(
    lengthPrefixed(
      utf8('concordat rule order v1'),
      utf8(place.federation),
      utf8(place.origin),
      idBytes(rule.id),
      utf8(rule.reason),
    ),
  );
  const id = orderIdOf(digest.subarray(0, 16));
  if (!id.ok) throw new TypeError('16 bytes are an order id');
  return id.value;
}

export function ruleOrder(
  by: {
    readonly federation: string;
    readonly origin: MemberId;
    readonly keyId: string;
    readonly deadlineInMs: number;
  },
  rule: Rule,
  nowMs: UnixMs,
): PurgeOrder {
  const { federation, origin, keyId, deadlineInMs } = by;
  return {
    suite: SUITE,
    federation,
    origin,
    keyId,
    orderId: ruleOrderId(by, rule),
    issuedAtMs: nowMs,
    deadlineMs: asUnixMs(nowMs + deadlineInMs),
    reason: rule.reason,
    ids: [rule.id],
    supersededBy: rule.supersededBy,
  };
}
