import type { EventId, MemberId, OrderId, UnixMs } from '@concordat/common/domain/ids.js';
import { type Cover, WHOLE_COVER } from '@concordat/common/domain/purge-order.js';
import type { PurgeOrder, PurgeReason } from '@concordat/common/domain/records.js';
import { SUITE } from '@concordat/common/domain/statement.js';

/** The reasons that a person may give; supersession and the end of retention are facts that the services find. */
export const OFFICER_REASONS = [
  'error',
  'delisted',
  'consent_withdrawn',
  'agreement_ended',
  'redress_upheld',
  'partner_withdrawn',
] as const satisfies readonly PurgeReason[];
export type OfficerReason = (typeof OFFICER_REASONS)[number];

/** An order to take these events back: from everybody, or less. */
export function officerOrder(about: {
  readonly federation: string;
  readonly origin: MemberId;
  readonly keyId: string;
  readonly orderId: OrderId;
  readonly ids: readonly EventId[];
  readonly reason: OfficerReason;
  readonly nowMs: UnixMs;
  readonly deadlineMs: number;
  readonly cover?: Cover;
}): PurgeOrder {
  const { federation, origin, keyId, orderId, ids, reason, nowMs, deadlineMs } = about;
  const { recipients, sections } = about.cover ?? WHOLE_COVER;
  return {
    suite: SUITE,
    federation,
    origin,
    keyId,
    orderId,
    issuedAtMs: nowMs,
    deadlineMs: (nowMs + deadlineMs) as UnixMs,
    reason,
    ids: [...new Set(ids)],
    supersededBy: null,
    recipients,
    sections,
    cause: null,
  };
}
