import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Agreement, Consent, Policy, Rule } from './agreement.js';
import { possibleRecipients } from './agreement.js';
import { type ReleaseDecision, type ReleaseQuestion, decideRelease } from './decide-release.js';
import { type MemberId, asUnixMs } from './ids.js';

const member = (text: string) => text as MemberId;
const [UN, DE, FR, NL] = ['un', 'de', 'fr', 'nl'].map(member) as [
  MemberId,
  MemberId,
  MemberId,
  MemberId,
];
const NOW = asUnixMs(1_700_000_000_000);
const DAY_MS = 86_400_000;
const always = { fromMs: asUnixMs(0), untilMs: asUnixMs(NOW + 1000 * DAY_MS) };
const over = { fromMs: asUnixMs(0), untilMs: NOW };
const notYet = { fromMs: asUnixMs(NOW + 1), untilMs: always.untilMs };
const fromNow = { fromMs: NOW, untilMs: asUnixMs(NOW + 1) };

const question: ReleaseQuestion = {
  header: {
    origin: UN,
    category: 'listing.al-qaida.individual',
    collectedAtMs: asUnixMs(NOW - 10 * DAY_MS),
    retainUntilMs: asUnixMs(NOW + 500 * DAY_MS),
    purposes: ['screening', 'investigation'],
    sections: [{ name: 'identity' }, { name: 'documents' }, { name: 'remarks' }],
  },
  audience: { byAgreement: true, members: [] },
  recipient: FR,
};

const permit: Rule = {
  id: 'p1',
  effect: 'permit',
  recipients: [FR],
  categories: ['listing.al-qaida.*'],
  sections: ['identity', 'documents'],
  purposes: ['screening', 'statistics'],
  retentionMs: 90 * DAY_MS,
  ...always,
  custody: 'held',
  onward: false,
};
const forbid: Rule = { ...permit, id: 'f1', effect: 'forbid', sections: ['documents'] };
const agreement: Agreement = {
  id: 'a1',
  version: 3,
  parties: [UN, DE, FR],
  ...always,
  rules: [permit],
};
const consent: Consent = {
  id: 'c1',
  agreementId: 'a1',
  origin: UN,
  ...always,
  withdrawn: false,
};

const policy = (...agreements: readonly Agreement[]): Policy => ({
  agreements,
  consents: agreements.map(({ id }) => ({ ...consent, id: `c-${id}`, agreementId: id })),
});
const rules = (...some: readonly Rule[]): Policy => policy({ ...agreement, rules: some });
const header = (some: Partial<ReleaseQuestion['header']>): Partial<ReleaseQuestion> => ({
  header: { ...question.header, ...some },
});
const members = (...some: readonly MemberId[]): Partial<ReleaseQuestion> => ({
  audience: { byAgreement: false, members: some },
});
const withheld = (reason: string, ruleId?: string) =>
  ({ outcome: 'withheld', reason, ...(ruleId !== undefined && { ruleId }) }) as ReleaseDecision;
const decide = (some: Partial<ReleaseQuestion>, given: Policy): ReleaseDecision =>
  decideRelease({ ...question, ...some }, given, NOW);

describe('an event is withheld', () => {
  test.each<
    [name: string, asked: Partial<ReleaseQuestion>, given: Policy, expected: ReleaseDecision]
  >([
    ['without any agreement', {}, policy(), withheld('NO_AGREEMENT')],
    [
      'from whom the audience leaves out',
      members(DE),
      rules(permit),
      withheld('AUDIENCE_EXCLUDES'),
    ],
    [
      'from all when the audience is empty',
      members(),
      rules(permit),
      withheld('AUDIENCE_EXCLUDES'),
    ],
    [
      'under an agreement of which its origin is no party',
      {},
      policy({ ...agreement, parties: [DE, FR] }),
      withheld('NO_AGREEMENT'),
    ],
    [
      'under an agreement of which the recipient is no party',
      {},
      policy({ ...agreement, parties: [UN, DE] }),
      withheld('NO_AGREEMENT'),
    ],
    [
      'from its own origin',
      { recipient: UN },
      rules({ ...permit, recipients: [UN] }),
      withheld('NO_AGREEMENT'),
    ],
    ['once the agreement is over', {}, policy({ ...agreement, ...over }), withheld('NO_AGREEMENT')],
    ['before the agreement', {}, policy({ ...agreement, ...notYet }), withheld('NO_AGREEMENT')],
    ['without consent', {}, { agreements: [agreement], consents: [] }, withheld('NO_CONSENT')],
    [
      'under a consent to another agreement',
      {},
      { agreements: [agreement], consents: [{ ...consent, agreementId: 'a2' }] },
      withheld('NO_CONSENT'),
    ],
    [
      "under another member's consent",
      {},
      { agreements: [agreement], consents: [{ ...consent, origin: DE }] },
      withheld('NO_CONSENT'),
    ],
    [
      'once consent is withdrawn',
      {},
      { agreements: [agreement], consents: [{ ...consent, withdrawn: true }] },
      withheld('NO_CONSENT'),
    ],
    [
      'once consent is over',
      {},
      { agreements: [agreement], consents: [{ ...consent, ...over }] },
      withheld('NO_CONSENT'),
    ],
    [
      'before consent',
      {},
      { agreements: [agreement], consents: [{ ...consent, ...notYet }] },
      withheld('NO_CONSENT'),
    ],
    ['when no rule speaks', {}, rules(), withheld('NO_RULE')],
    ['when rules forbid only', {}, rules(forbid), withheld('NO_RULE')],
    [
      'by a rule for another member',
      {},
      rules({ ...permit, recipients: [DE] }),
      withheld('NO_RULE'),
    ],
    [
      'by a rule about other categories',
      {},
      rules({ ...permit, categories: ['listing.taliban.*', 'listing'] }),
      withheld('NO_RULE'),
    ],
    ['once the rule is over', {}, rules({ ...permit, ...over }), withheld('NO_RULE')],
    ['before the rule', {}, rules({ ...permit, ...notYet }), withheld('NO_RULE')],
    [
      'by a permit in an agreement without consent, beside one with consent and no rule',
      {},
      {
        agreements: [agreement, { ...agreement, id: 'a2', rules: [] }],
        consents: [{ ...consent, agreementId: 'a2' }],
      },
      withheld('NO_RULE'),
    ],
    [
      'when the permit names none of its sections',
      {},
      rules({ ...permit, sections: ['aliases'] }),
      withheld('NO_SECTION', 'p1'),
    ],
    [
      'when every permitted section is forbidden',
      {},
      rules(permit, { ...forbid, sections: ['documents', 'identity'] }),
      withheld('FORBIDDEN', 'f1'),
    ],
    [
      'by a forbid of everything',
      {},
      rules({ ...permit, sections: ['*'] }, { ...forbid, sections: ['*'] }),
      withheld('FORBIDDEN', 'f1'),
    ],
    [
      'by a forbid in another agreement, consented to or not',
      {},
      {
        agreements: [
          agreement,
          { ...agreement, id: 'a2', rules: [{ ...forbid, sections: ['*'] }] },
        ],
        consents: [consent],
      },
      withheld('FORBIDDEN', 'f1'),
    ],
    [
      'by a forbid for any purpose, retention and order',
      {},
      rules({ ...forbid, sections: ['*'], purposes: [], retentionMs: 1000 * DAY_MS }, permit),
      withheld('FORBIDDEN', 'f1'),
    ],
    [
      'and of several forbids the first by id is named',
      {},
      rules(
        permit,
        { ...forbid, id: 'f3', sections: ['*'] },
        { ...forbid, id: 'f2', sections: ['*'] },
      ),
      withheld('FORBIDDEN', 'f2'),
    ],
    [
      'and a forbid about other sections is not named',
      {},
      rules(permit, { ...forbid, id: 'f0', sections: ['remarks'] }, { ...forbid, sections: ['*'] }),
      withheld('FORBIDDEN', 'f1'),
    ],
    [
      'when the permit shares none of its purposes',
      {},
      rules({ ...permit, purposes: ['statistics'] }),
      withheld('PURPOSE_NOT_ALLOWED', 'p1'),
    ],
    [
      'when the retention that is allowed is over at this moment',
      {},
      rules({ ...permit, retentionMs: 10 * DAY_MS }),
      withheld('RETENTION_PASSED', 'p1'),
    ],
    [
      'when its own retention is over',
      header({ retainUntilMs: NOW }),
      rules(permit),
      withheld('RETENTION_PASSED', 'p1'),
    ],
    [
      'when the permit with the shortest retention is over, whatever others allow',
      {},
      rules(permit, { ...permit, id: 'p0', retentionMs: 1 }),
      withheld('RETENTION_PASSED', 'p0'),
    ],
  ])('%s', (_name, asked, given, expected) => {
    expect(decide(asked, given)).toEqual(expected);
  });
});

describe('an event is released', () => {
  const terms = {
    ruleId: 'p1',
    agreementId: 'a1',
    agreementVersion: 3,
    consentId: 'c-a1',
    sections: ['identity', 'documents'],
    purposes: ['screening'],
    deleteByMs: NOW + 80 * DAY_MS,
    onward: false,
    custody: 'held',
  };
  const longer: Rule = { ...permit, id: 'p0', retentionMs: 91 * DAY_MS, sections: ['*'] };

  test.each<
    [name: string, asked: Partial<ReleaseQuestion>, given: Policy, expected: Partial<typeof terms>]
  >([
    ['under a permit in force, on its terms', {}, rules(permit), {}],
    ['to a member that the audience names', members(DE, FR), rules(permit), {}],
    ['from the first moment of an agreement', {}, policy({ ...agreement, ...fromNow }), {}],
    ['from the first moment of a rule', {}, rules({ ...permit, ...fromNow }), {}],
    [
      'from the first moment of consent',
      {},
      { agreements: [agreement], consents: [{ ...consent, ...fromNow }] },
      { consentId: 'c1' },
    ],
    [
      'under the first consent by id that holds',
      {},
      {
        agreements: [agreement],
        consents: [
          { ...consent, id: 'c3' },
          { ...consent, id: 'c2' },
          { ...consent, withdrawn: true },
        ],
      },
      { consentId: 'c2' },
    ],
    [
      'by any of the patterns of a rule',
      {},
      rules({ ...permit, categories: ['x', 'listing.**'] }),
      {},
    ],
    [
      'with all its sections, in the order of its header',
      {},
      rules({ ...permit, sections: ['*'] }),
      { sections: ['identity', 'documents', 'remarks'] },
    ],
    ['without a section that is forbidden', {}, rules(permit, forbid), { sections: ['identity'] }],
    [
      'without what a forbid of another agreement takes',
      {},
      policy(agreement, { ...agreement, id: 'a2', rules: [forbid] }),
      { sections: ['identity'] },
    ],
    [
      'in spite of a forbid for another member',
      {},
      rules(permit, { ...forbid, recipients: [DE] }),
      {},
    ],
    [
      'in spite of a forbid about another category',
      {},
      rules(permit, { ...forbid, categories: ['listing.taliban.*'] }),
      {},
    ],
    ['in spite of a forbid that is over', {}, rules(permit, { ...forbid, ...over }), {}],
    ['in spite of a forbid to come', {}, rules(permit, { ...forbid, ...notYet }), {}],
    [
      'in spite of a forbid in an agreement that is over',
      {},
      policy(agreement, { ...agreement, id: 'a2', ...over, rules: [forbid] }),
      {},
    ],
    [
      'in spite of a forbid in an agreement of others',
      {},
      policy(agreement, { ...agreement, id: 'a2', parties: [FR, NL], rules: [forbid] }),
      {},
    ],
    [
      'until its own retention ends',
      header({ retainUntilMs: asUnixMs(NOW + 1) }),
      rules(permit),
      {
        deleteByMs: NOW + 1,
      },
    ],
    ['on the terms of the shortest retention', {}, rules(longer, permit), {}],
    [
      'of equal retentions by the rule that is first by id',
      {},
      rules({ ...permit, id: 'p2' }, permit),
      {},
    ],
    [
      'of equal rules by the agreement that is first by id',
      {},
      policy({ ...agreement, id: 'a2' }, agreement),
      {},
    ],
    [
      'of two versions of one agreement by the newer',
      {},
      policy({ ...agreement, version: 2 }, agreement),
      {},
    ],
    [
      'for onward sharing only if the rule says so',
      {},
      rules({ ...permit, onward: true }),
      { onward: true },
    ],
    [
      'with keys on lease only if the rule says so',
      {},
      rules({ ...permit, custody: 'leased' }),
      { custody: 'leased' },
    ],
    [
      'of equal retentions by the rule that lets less be kept',
      {},
      rules(permit, { ...permit, id: 'p2', custody: 'leased' }),
      { ruleId: 'p2', custody: 'leased' },
    ],
  ])('%s', (_name, asked, given, expected) => {
    expect(decide(asked, given)).toEqual({ outcome: 'release', terms: { ...terms, ...expected } });
  });
});

describe('whatever the policy says,', () => {
  const some = <T>(...values: T[]) => fc.subarray(values, { minLength: 1 });
  const span = fc.constantFrom(always, over, notYet, fromNow);
  const anyRule: fc.Arbitrary<Rule> = fc
    .record({
      id: fc.constantFrom('r1', 'r2', 'r3', 'r4'),
      effect: fc.constantFrom('permit' as const, 'permit' as const, 'forbid' as const),
      recipients: some(DE, FR),
      categories: some('listing.al-qaida.*', 'listing.**', 'listing.taliban.*'),
      sections: some('identity', 'documents', 'remarks', '*'),
      purposes: some('screening', 'investigation', 'statistics'),
      retentionMs: fc.constantFrom(1, 30 * DAY_MS, 90 * DAY_MS),
      when: fc.oneof({ weight: 3, arbitrary: fc.constant(always) }, span),
      onward: fc.boolean(),
      custody: fc.constantFrom('held' as const, 'leased' as const),
    })
    .map(({ when, ...rule }) => ({ ...rule, ...when }));
  const anyAgreement: fc.Arbitrary<Agreement> = fc
    .record({
      id: fc.constantFrom('a1', 'a2', 'a3'),
      version: fc.nat(2),
      parties: some(UN, DE, FR),
      when: fc.oneof({ weight: 3, arbitrary: fc.constant(always) }, span),
      rules: fc.uniqueArray(anyRule, { maxLength: 4, selector: ({ id }) => id }),
    })
    .map(({ when, ...one }) => ({ ...one, ...when }));
  const anyConsent: fc.Arbitrary<Consent> = fc
    .record({
      id: fc.constantFrom('c1', 'c2'),
      agreementId: fc.constantFrom('a1', 'a2', 'a3'),
      withdrawn: fc.boolean(),
      when: fc.oneof({ weight: 3, arbitrary: fc.constant(always) }, span),
    })
    .map(({ when, ...one }) => ({ ...one, ...when, origin: UN }));
  const anyPolicy: fc.Arbitrary<Policy> = fc.record({
    agreements: fc.uniqueArray(anyAgreement, {
      maxLength: 4,
      selector: ({ id, version }) => `${id} ${version}`,
    }),
    consents: fc.array(anyConsent, { maxLength: 4 }),
  });
  const backwards = (given: Policy): Policy => ({
    agreements: given.agreements
      .map((one) => ({ ...one, rules: [...one.rules].reverse() }))
      .reverse(),
    consents: [...given.consents].reverse(),
  });

  test('the order of its lists changes nothing', () => {
    fc.assert(
      fc.property(anyPolicy, (given) => {
        expect(decide({}, backwards(given))).toEqual(decide({}, given));
      }),
      { numRuns: 500 },
    );
  });

  test('nothing leaves without an agreement, a consent and a permit in force that say so', () => {
    fc.assert(
      fc.property(anyPolicy, (given) => {
        const decision = decide({}, given);
        if (decision.outcome === 'withheld') return;
        const { terms } = decision;
        const holds = ({ fromMs, untilMs }: { fromMs: number; untilMs: number }) =>
          fromMs <= NOW && NOW < untilMs;
        const allowing = given.agreements
          .filter((one) => one.id === terms.agreementId && one.version === terms.agreementVersion)
          .filter((one) => holds(one) && one.parties.includes(UN) && one.parties.includes(FR))
          .flatMap((one) => one.rules)
          .filter((one) => one.id === terms.ruleId && one.effect === 'permit' && holds(one))
          .filter((one) => one.recipients.includes(FR))
          .filter((one) => terms.purposes.every((purpose) => one.purposes.includes(purpose)))
          .filter((one) =>
            terms.sections.every(
              (name) => one.sections.includes('*') || one.sections.includes(name),
            ),
          );
        expect(allowing).not.toHaveLength(0);
        const consents = given.consents.filter(
          (one) => one.id === terms.consentId && one.agreementId === terms.agreementId,
        );
        expect(consents.filter((one) => holds(one) && !one.withdrawn)).not.toHaveLength(0);
        expect(terms.sections).not.toHaveLength(0);
        expect(terms.purposes).not.toHaveLength(0);
        expect(terms.deleteByMs).toBeGreaterThan(NOW);
      }),
      { numRuns: 500 },
    );
  });

  test('one more forbid never gives more, and takes its sections from everybody it names', () => {
    fc.assert(
      fc.property(anyPolicy, some('identity', 'documents', 'remarks', '*'), (given, sections) => {
        const more: Agreement = { ...agreement, id: 'a9', rules: [{ ...forbid, sections }] };
        const before = decide({}, given);
        const after = decide({}, { ...given, agreements: [...given.agreements, more] });
        const left = sectionsOf(after);
        expect(sectionsOf(before)).toEqual(expect.arrayContaining([...left]));
        for (const name of sections) expect(left).not.toContain(name);
        if (sections.includes('*')) expect(left).toEqual([]);
      }),
    );
  });

  test('one more permit never lengthens what a shorter one allows', () => {
    fc.assert(
      fc.property(anyPolicy, fc.nat(100 * DAY_MS), (given, retentionMs) => {
        const more: Agreement = { ...agreement, id: 'a9', rules: [{ ...permit, retentionMs }] };
        const wider: Policy = {
          agreements: [...given.agreements, more],
          consents: [...given.consents, { ...consent, agreementId: 'a9' }],
        };
        const before = decide({}, given);
        const after = decide({}, wider);
        if (before.outcome !== 'release' || after.outcome !== 'release') return;
        expect(after.terms.deleteByMs).toBeLessThanOrEqual(before.terms.deleteByMs);
      }),
    );
  });

  test('who is not in a named audience gets nothing', () => {
    fc.assert(
      fc.property(anyPolicy, fc.subarray([DE, NL]), (given, named) => {
        expect(decide(members(...named), given)).toEqual(withheld('AUDIENCE_EXCLUDES'));
      }),
    );
  });

  function sectionsOf(decision: ReleaseDecision): readonly string[] {
    return decision.outcome === 'release' ? decision.terms.sections : [];
  }
});

describe('possible recipients', () => {
  test('are the other parties of all agreements with the origin, once and in order', () => {
    const given = policy(
      { ...agreement, parties: [UN, NL, FR], ...over },
      { ...agreement, id: 'a2', parties: [FR, UN, DE] },
      { ...agreement, id: 'a3', parties: [DE, member('se')] },
    );
    expect(possibleRecipients(given, UN)).toEqual([DE, FR, NL]);
  });
});
