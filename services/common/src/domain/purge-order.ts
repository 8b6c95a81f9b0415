import type { MemberId } from './ids.js';
import { SECTIONS_MAX, isName } from './header.js';
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

/** What an order takes of its events: of all recipients if none is named, all sections if none is. */
export interface Cover {
  readonly recipients: readonly MemberId[];
  readonly sections: readonly string[];
}

export const WHOLE_COVER: Cover = { recipients: [], sections: [] };

/** Only a whole cover destroys the origin's own keys. */
export function isWhole({ recipients, sections }: Cover): boolean {
  return recipients.length === 0 && sections.length === 0;
}

/** Does this cover, of a recipient that it names, take this section? */
export function takesSection({ sections }: Pick<Cover, 'sections'>, name: string): boolean {
  return sections.length === 0 || sections.includes(name);
}

/** Recipients that one cover may name: each has a seal of its own in every block. */
export const COVER_RECIPIENTS_MAX = 32;

/** What is wrong with a cover that an order of this origin names; undefined when nothing is. */
export function coverProblem(
  origin: MemberId,
  { recipients, sections }: Cover,
): string | undefined {
  if (new Set(recipients).size !== recipients.length) return 'expected each recipient once';
  if (new Set(sections).size !== sections.length) return 'expected each section once';
  if (recipients.includes(origin)) return `expected other members as recipients, came ${origin}`;
  if (recipients.length > COVER_RECIPIENTS_MAX || sections.length > SECTIONS_MAX) {
    return `expected at most ${COVER_RECIPIENTS_MAX} recipients and ${SECTIONS_MAX} sections`;
  }
  return sections.every(isName) ? undefined : 'expected names of sections';
}

/** An order by which a member leaves: it names that member and no event, for it takes back whatever the member holds. */
export function isLeave({
  ids,
  recipients,
  sections,
}: Pick<PurgeOrder, 'ids' | 'recipients' | 'sections'>): boolean {
  return ids.length === 0 && recipients.length === 1 && sections.length === 0;
}

/** For what reasons a person may take everything back from one member. */
export const LEAVE_REASONS = [
  'partner_withdrawn',
  'agreement_ended',
] as const satisfies readonly PurgeReason[];

/** What is wrong with an order by which a member shall leave; undefined when nothing is. */
export function leaveProblem({
  ids,
  recipients,
  sections,
  origin,
  reason,
  cause,
}: PurgeOrder): string | undefined {
  if (recipients.length !== 1) return 'expected one recipient, the member that leaves';
  if (recipients.includes(origin)) return `expected another member than the origin, came ${origin}`;
  if (ids.length + sections.length > 0 || cause !== null) {
    return 'expected no event and no section: everything that the member holds is ordered back';
  }
  if (LEAVE_REASONS.some((one) => one === reason)) return undefined;
  return `expected reason ${LEAVE_REASONS.join(' or ')}, came ${reason}`;
}

/** Does a cover take anything of what one recipient was given keys of? */
export function meets(
  { recipients, sections }: Cover,
  released: { readonly recipient: MemberId; readonly sections: readonly string[] },
): boolean {
  const isNamed = recipients.length === 0 || recipients.includes(released.recipient);
  return (
    isNamed && (sections.length === 0 || released.sections.some((one) => sections.includes(one)))
  );
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
