import type { PurgeOrder, PurgeOutcome, PurgeReason, ReceiptStage } from './records.js';
import type { Role } from './statement.js';

/** Who may order for which reason: people by a purge officer's key, facts by the revocation service. */
const ORDERED_BY = {
  error: ['purge-officer'],
  delisted: ['purge-officer'],
  consent_withdrawn: ['purge-officer'],
  agreement_ended: ['purge-officer'],
  redress_upheld: ['purge-officer'],
  // of a member that is leaving the fact is signed; a person may say it too
  partner_withdrawn: ['purge-officer', 'revocation'],
  retention: ['revocation'],
  superseded: ['revocation'],
  scope_changed: ['revocation'],
  parent_purged: ['revocation'],
} as const satisfies Record<PurgeReason, readonly Role[]>;

export function mayOrder(role: Role, reason: PurgeReason): boolean {
  return (ORDERED_BY[reason] as readonly Role[]).includes(role);
}

/** Reasons of orders that follow from facts; no person gives them. */
export function isRuleReason(reason: PurgeReason): boolean {
  return !mayOrder('purge-officer', reason);
}

/** What an order takes: every recipient's copy and all sections, or less. */
export type Cover = Pick<PurgeOrder, 'recipients' | 'sections'>;

export const WHOLE_COVER: Cover = { recipients: [], sections: [] };

/** Only a whole cover destroys the origin's own keys. */
export function isWhole({ recipients, sections }: Cover): boolean {
  return recipients.length === 0 && sections.length === 0;
}

/** Something of the event may still be there: held by law, at a copy system, in an event derived from it. */
export function isOpen(outcome: PurgeOutcome): boolean {
  return outcome !== 'DELETED' && outcome !== 'NOT_HELD';
}

/** A receipt's stage follows from its outcomes. */
export function stageOf(outcomes: readonly PurgeOutcome[]): ReceiptStage {
  if (outcomes.some(isOpen)) return 'OPEN';
  return outcomes.includes('DELETED') ? 'DELETED' : 'NOT_HELD';
}
