import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Policy, Rule } from './agreement.js';
import { type ReleaseQuestion, decideRelease } from './decide-release.js';
import type { MemberId, UnixMs } from './ids.js';
import { ReleaseRules } from './release-rules.js';

const [UN, DE] = ['un' as MemberId, 'de' as MemberId];
const recipient = fc.constantFrom(...(['de', 'fr', 'nl'] as MemberId[]));
const names = (...all: string[]) => fc.uniqueArray(fc.constantFrom(...all), { minLength: 1 });
const moment = fc.integer({ min: 0, max: 40 }).map((value) => value as UnixMs);
const early = fc.integer({ min: 0, max: 15 }).map((value) => value as UnixMs);
const late = fc.integer({ min: 10, max: 45 }).map((value) => value as UnixMs);
const span = fc.record({ fromMs: early, untilMs: late });

const rule: fc.Arbitrary<Rule> = fc
  .record({
    id: fc.constantFrom('r1', 'r2', 'r3'),
    effect: fc.constantFrom('permit' as const, 'permit' as const, 'forbid' as const),
    recipients: fc.constantFrom(['de', 'fr'] as MemberId[], ['fr', 'nl'] as MemberId[]),
    categories: fc.constantFrom(['**'], ['**'], ['listing.*'], ['other.*']),
    sections: names('*', 'identity', 'remarks'),
    purposes: names('screening', 'statistics'),
    retentionMs: fc.integer({ min: 10, max: 80 }),
    onward: fc.boolean(),
    custody: fc.constantFrom('held' as const, 'leased' as const),
    span,
  })
  .map(({ span: { fromMs, untilMs }, ...rest }) => ({ ...rest, fromMs, untilMs }));
const policy: fc.Arbitrary<Policy> = fc
  .record({
    rules: fc.array(rule, { maxLength: 4 }),
    agreement: span,
    consent: span,
    withdrawn: fc.boolean(),
  })
  .map(({ rules, agreement, consent, withdrawn }) => ({
    agreements: [
      { id: 'a1', version: 1, parties: [UN, DE, 'fr' as MemberId], rules, ...agreement },
    ],
    consents: [{ id: 'c1', agreementId: 'a1', origin: UN, withdrawn, ...consent }],
  }));
const question: fc.Arbitrary<ReleaseQuestion> = fc
  .record({
    recipient,
    category: fc.constantFrom('listing.a', 'listing.b', 'other.a'),
    purposes: names('screening', 'statistics', 'border'),
    sections: names('identity', 'remarks', 'documents'),
    collectedAtMs: moment,
    retainUntilMs: late,
    audience: fc.constantFrom(
      { byAgreement: true, members: [] },
      { byAgreement: false, members: [DE] },
      { byAgreement: false, members: [] },
    ),
  })
  .map(({ recipient, audience, sections, ...header }) => ({
    ...{ recipient, audience },
    header: { ...header, origin: UN, sections: sections.map((name) => ({ name })) },
  }));

test('a remembered ground decides as if it were found anew, whatever time it is', () => {
  let released = 0;
  fc.assert(
    fc.property(policy, fc.array(fc.tuple(question, moment), { maxLength: 20 }), (one, asked) => {
      const rules = new ReleaseRules(one);
      for (const [about, nowMs] of asked) {
        const decision = rules.decide(about, nowMs);
        expect(decision).toEqual(decideRelease(about, one, nowMs));
        if (decision.outcome === 'release') released += 1;
      }
    }),
    { numRuns: 2_000 },
  );
  expect(released).toBeGreaterThan(40);
});
