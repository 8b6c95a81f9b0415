import type { MemberId, UnixMs } from '@concordat/common/domain/ids.js';

const YEAR_MS = 365 * 86_400_000;
export const EXAMPLE_PURPOSE = 'counter-terrorism';

/**
 * An agreements file to start from: every member may have everything of every origin. Its ids say that it is an example,
 * and so does every decision that names them.
 */
export function exampleAgreements(
  members: readonly { readonly id: MemberId; readonly isOrigin: boolean }[],
  nowMs: UnixMs,
): unknown {
  const span = {
    from: new Date(nowMs).toISOString(),
    until: new Date(nowMs + YEAR_MS).toISOString(),
  };
  const parties = members.map(({ id }) => id);
  const rule = {
    id: 'example-everything-to-everybody',
    effect: 'permit',
    recipients: parties,
    categories: ['**'],
    sections: ['*'],
    purposes: [EXAMPLE_PURPOSE],
    retention: { days: 30 },
  };
  const agreement = { id: 'example-agreement', version: 1, parties, ...span, rules: [rule] };
  const consents = members
    .filter(({ isOrigin }) => isOrigin)
    .map(({ id }) => ({
      id: `example-consent-${id}`,
      agreementId: agreement.id,
      origin: id,
      ...span,
    }));
  return { agreements: [agreement], consents };
}
