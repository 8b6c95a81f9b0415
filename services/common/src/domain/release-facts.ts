import type { Agreement, Consent, Policy, Rule } from './agreement.js';
import { bytesKey, sha256, utf8 } from './bytes.js';
import { matchesCategory } from './category.js';
import type { MemberId, UnixMs } from './ids.js';

/** Two policies that say the same have the same version, however their files are laid out. base64url of a SHA-256 */
export function policyVersion(policy: Policy): string {
  return bytesKey(sha256(utf8(JSON.stringify(policy))));
}

export interface FactsAbout {
  readonly origin: MemberId;
  readonly recipient: MemberId;
  readonly category: string;
}

/**
 * What a decision rested on, a line each: the agreements between both members, the origin's consents under them, and the
 * rules that name the recipient, with whether they were in force and spoke of the category. For people: decisions are
 * made in decide-release.ts.
 */
export function releaseFacts(
  policy: Policy,
  { origin, recipient, category }: FactsAbout,
  atMs: UnixMs,
): readonly string[] {
  const agreements = policy.agreements.filter(
    ({ parties }) => parties.includes(origin) && parties.includes(recipient),
  );
  if (agreements.length === 0) return [`no agreement between ${origin} and ${recipient}`];
  return agreements.flatMap((agreement) => {
    const consents = policy.consents.filter(
      (one) => one.agreementId === agreement.id && one.origin === origin,
    );
    const rules = agreement.rules.filter((rule) => rule.recipients.includes(recipient));
    return [
      `${nameOf(agreement)}: ${standing(agreement, atMs)}`,
      ...(consents.length === 0 ? [`${nameOf(agreement)}: ${origin} has given no consent`] : []),
      ...consents.map((consent) => consentFact(consent, atMs)),
      ...(rules.length === 0 ? [`${nameOf(agreement)}: no rule names ${recipient}`] : []),
      ...rules.map((rule) => ruleFact(rule, category, atMs)),
    ];
  });
}

const nameOf = ({ id, version }: Agreement): string => `agreement ${id} v${String(version)}`;

function standing(
  span: { readonly fromMs: UnixMs; readonly untilMs: UnixMs },
  atMs: UnixMs,
): string {
  const day = (ms: UnixMs): string => new Date(ms).toISOString();
  if (atMs < span.fromMs) return `not in force before ${day(span.fromMs)}`;
  return atMs < span.untilMs ? 'in force' : `over since ${day(span.untilMs)}`;
}

function consentFact(consent: Consent, atMs: UnixMs): string {
  const state = consent.withdrawn ? 'withdrawn' : standing(consent, atMs);
  return `consent ${consent.id} of ${consent.origin}: ${state}`;
}

function ruleFact(rule: Rule, category: string, atMs: UnixMs): string {
  const speaks = rule.categories.some((pattern) => matchesCategory(pattern, category));
  const fits = `${speaks ? 'speaks' : 'does not speak'} of ${category}`;
  const what = `${rule.effect}s ${rule.sections.join(', ')}`;
  const why = rule.effect === 'permit' ? ` for ${rule.purposes.join(', ')}` : '';
  return `rule ${rule.id}: ${standing(rule, atMs)}, ${fits}, ${what}${why}`;
}
