import type { Agreement, Consent, Custody, Policy, Rule } from './agreement.js';
import { matchesCategory } from './category.js';
import type { MemberId, UnixMs } from './ids.js';
import type { Audience, Header } from './records.js';

export type WithholdReason =
  /** the audience's opening is missing, or is not what the header commits to */
  | 'AUDIENCE_UNREADABLE'
  | 'AUDIENCE_EXCLUDES'
  /** the origin takes everything back from it */
  | 'MEMBER_LEAVES'
  | 'NO_AGREEMENT'
  | 'NO_CONSENT'
  | 'NO_RULE'
  | 'FORBIDDEN'
  | 'PURPOSE_NOT_ALLOWED'
  | 'NO_SECTION'
  | 'RETENTION_PASSED';

/** What a recipient may have, and under which rule. */
export interface Terms {
  readonly ruleId: string;
  readonly agreementId: string;
  readonly agreementVersion: number;
  readonly consentId: string;
  readonly sections: readonly string[];
  readonly purposes: readonly string[];
  readonly deleteByMs: UnixMs;
  readonly onward: boolean;
  readonly custody: Custody;
}

export type ReleaseDecision =
  | { readonly outcome: 'release'; readonly terms: Terms }
  | { readonly outcome: 'withheld'; readonly reason: WithholdReason; readonly ruleId?: string };

/** What a decision rests on beside the event's own times: the same for every event of a class of equal facts. */
export type Ground =
  | {
      readonly kind: 'permit';
      readonly terms: Omit<Terms, 'deleteByMs'>;
      readonly retentionMs: number;
    }
  | { readonly kind: 'withhold'; readonly reason: WithholdReason; readonly ruleId?: string };

export interface ReleaseQuestion {
  readonly header: Pick<
    Header,
    'origin' | 'category' | 'collectedAtMs' | 'retainUntilMs' | 'purposes'
  > & { readonly sections: readonly { readonly name: string }[] };
  readonly audience: Audience;
  readonly recipient: MemberId;
}

/** The question as if the event were meant for this member alone: what it holds, or may get at a holder's request. */
export function meantFor(recipient: MemberId, header: ReleaseQuestion['header']): ReleaseQuestion {
  return { header, audience: { byAgreement: false, members: [recipient] }, recipient };
}

interface Candidate {
  readonly agreement: Agreement;
  readonly consent: Consent;
  readonly rule: Rule;
}

const inForce = (span: { fromMs: UnixMs; untilMs: UnixMs }, nowMs: UnixMs): boolean =>
  span.fromMs <= nowMs && nowMs < span.untilMs;

/**
 * May this event go to this recipient, which sections, for what, and until when?
 *
 * Default no. A forbid outweighs any permit: it takes its sections away, whichever agreement it stands in. Of
 * several permits the one with the shortest retention counts, of these a leased one, with its sections and purposes
 * alone. Independent of the order of the policy's lists.
 */
export function decideRelease(
  question: ReleaseQuestion,
  policy: Policy,
  nowMs: UnixMs,
): ReleaseDecision {
  return decideOn(findGround(question, policy, nowMs), question.header, nowMs);
}

/** The ground on which events of this class are released or withheld now; looks at no time of the event. */
export function findGround(question: ReleaseQuestion, policy: Policy, nowMs: UnixMs): Ground {
  const { header, audience, recipient } = question;
  if (!audience.byAgreement && !audience.members.includes(recipient)) {
    return { kind: 'withhold', reason: 'AUDIENCE_EXCLUDES' };
  }
  const agreements = policy.agreements.filter(
    (one) =>
      one.parties.includes(header.origin) &&
      one.parties.includes(recipient) &&
      recipient !== header.origin &&
      inForce(one, nowMs),
  );
  if (agreements.length === 0) return { kind: 'withhold', reason: 'NO_AGREEMENT' };

  const rules = agreements.flatMap((agreement) =>
    agreement.rules
      .filter((rule) => speaksOf(rule, question) && inForce(rule, nowMs))
      .map((rule) => ({ agreement, rule })),
  );
  const forbids = rules.filter(({ rule }) => rule.effect === 'forbid').map(({ rule }) => rule);
  const consented = agreements.filter((agreement) => consentTo(agreement, policy, header, nowMs));
  if (consented.length === 0) return { kind: 'withhold', reason: 'NO_CONSENT' };

  const permits = rules
    .filter(({ rule }) => rule.effect === 'permit')
    .flatMap(({ agreement, rule }): Candidate[] => {
      const consent = consentTo(agreement, policy, header, nowMs);
      return consent ? [{ agreement, consent, rule }] : [];
    })
    .sort(
      (a, b) =>
        a.rule.retentionMs - b.rule.retentionMs ||
        Number(b.rule.custody === 'leased') - Number(a.rule.custody === 'leased') ||
        byId(a.rule, b.rule) ||
        byId(a.agreement, b.agreement) ||
        b.agreement.version - a.agreement.version,
    );
  const [permit] = permits;
  if (!permit) return { kind: 'withhold', reason: 'NO_RULE' };
  return underPermit(question, permit, forbids);
}

function underPermit(
  { header }: ReleaseQuestion,
  { agreement, consent, rule }: Candidate,
  forbids: readonly Rule[],
): Ground {
  const permitted = header.sections.map(({ name }) => name).filter((name) => names(rule, name));
  if (permitted.length === 0) return { kind: 'withhold', reason: 'NO_SECTION', ruleId: rule.id };
  const sections = permitted.filter((name) => !forbids.some((forbid) => names(forbid, name)));
  if (sections.length === 0) {
    const [first] = forbids
      .filter((forbid) => permitted.some((name) => names(forbid, name)))
      .sort(byId);
    return { kind: 'withhold', reason: 'FORBIDDEN', ...(first && { ruleId: first.id }) };
  }
  const purposes = header.purposes.filter((purpose) => rule.purposes.includes(purpose));
  if (purposes.length === 0) {
    return { kind: 'withhold', reason: 'PURPOSE_NOT_ALLOWED', ruleId: rule.id };
  }
  const terms = {
    ruleId: rule.id,
    agreementId: agreement.id,
    agreementVersion: agreement.version,
    consentId: consent.id,
    sections,
    purposes,
    onward: rule.onward,
    custody: rule.custody,
  };
  return { kind: 'permit', terms, retentionMs: rule.retentionMs };
}

/** The decision on one event of a class, by its own times. */
export function decideOn(
  ground: Ground,
  { collectedAtMs, retainUntilMs }: Pick<Header, 'collectedAtMs' | 'retainUntilMs'>,
  nowMs: UnixMs,
): ReleaseDecision {
  if (ground.kind === 'withhold') {
    const { reason, ruleId } = ground;
    return { outcome: 'withheld', reason, ...(ruleId !== undefined && { ruleId }) };
  }
  const { terms, retentionMs } = ground;
  const deleteByMs = Math.min(retainUntilMs, collectedAtMs + retentionMs) as UnixMs;
  if (deleteByMs <= nowMs) {
    return { outcome: 'withheld', reason: 'RETENTION_PASSED', ruleId: terms.ruleId };
  }
  return { outcome: 'release', terms: { ...terms, deleteByMs } };
}

function speaksOf(rule: Rule, { header, recipient }: ReleaseQuestion): boolean {
  return (
    rule.recipients.includes(recipient) &&
    rule.categories.some((pattern) => matchesCategory(pattern, header.category))
  );
}

function consentTo(
  agreement: Agreement,
  policy: Policy,
  header: Pick<Header, 'origin'>,
  nowMs: UnixMs,
): Consent | undefined {
  return policy.consents
    .filter(
      (one) =>
        one.agreementId === agreement.id &&
        one.origin === header.origin &&
        !one.withdrawn &&
        inForce(one, nowMs),
    )
    .sort(byId)[0];
}

function names(rule: Rule, section: string): boolean {
  return rule.sections.includes('*') || rule.sections.includes(section);
}

function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
