import type { Policy } from '@concordat/common/domain/agreement.js';
import { utf8 } from '@concordat/common/domain/bytes.js';
import type { Draw } from '@concordat/common/domain/synthetic/draw.js';
import { parsePolicy } from '@concordat/common/io/policy-file.js';
import { MEMBERS } from './federation.js';

const ALWAYS = { from: '2015-01-01T00:00:00Z', until: '2099-01-01T00:00:00Z' };
export const PURPOSES = ['screening', 'investigation'] as const;

/** Patterns of categories, with sections of theirs that some rules keep to. */
const SUBJECTS = [
  { categories: ['information-report.**'], some: ['report'] },
  { categories: ['threat-indicator.**'], some: ['indicator', 'pattern'] },
  { categories: ['person-alert.**', 'travel-document-alert.**'], some: ['identity', 'document'] },
  { categories: ['financial-indicator.**'], some: ['indicator', 'accounts'] },
] as const;

/**
 * Each member has an agreement with two to four others, in which each category has a rule of its own: for whom, which
 * sections, for how long, held or only leased, and whether it may be shared on.
 */
export function drawPolicy(draw: Draw): Policy {
  const agreements = MEMBERS.map((origin) => {
    const others = MEMBERS.filter((id) => id !== origin);
    const parties = draw.some(others, others.length);
    const rules = SUBJECTS.map(({ categories, some }, at) => ({
      id: `${origin}-${String(at)}`,
      effect: 'permit',
      recipients: draw.some(parties, 2),
      categories,
      sections: draw.chance(35) ? some : ['*'],
      purposes: draw.chance(70) ? PURPOSES : PURPOSES.slice(0, 1),
      retention: { days: draw.pick([2, 5, 30, 30]) },
      custody: draw.chance(15) ? 'leased' : 'held',
      onward: draw.chance(30),
    }));
    return { id: `by-${origin}`, version: 1, parties: [origin, ...others], ...ALWAYS, rules };
  });
  const consents = MEMBERS.map((origin) => ({
    ...{ id: `consent-${origin}`, agreementId: `by-${origin}`, origin, ...ALWAYS },
  }));
  return parsePolicy(utf8(JSON.stringify({ agreements, consents })), 'the drawn agreements');
}
