import { expect, test } from '@jest/globals';
import type { Policy, Rule } from './agreement.js';
import { type MemberId, asUnixMs } from './ids.js';
import { policyVersion, releaseFacts } from './release-facts.js';

const [un, de, fr] = ['un', 'de', 'fr'] as MemberId[] as [MemberId, MemberId, MemberId];
const always = { fromMs: asUnixMs(0), untilMs: asUnixMs(1_000) };
const rule: Omit<Rule, 'id' | 'categories'> = {
  effect: 'permit',
  recipients: [de],
  sections: ['identity'],
  purposes: ['screening'],
  retentionMs: 1,
  custody: 'held',
  onward: false,
  ...always,
};
const policy: Policy = {
  agreements: [
    {
      ...{ id: 'a1', version: 3, parties: [un, de], ...always },
      rules: [
        { ...rule, id: 'r1', categories: ['listing.**'] },
        { ...rule, id: 'r2', categories: ['**'], effect: 'forbid', fromMs: asUnixMs(600) },
      ],
    },
  ],
  consents: [
    { ...{ id: 'c1', agreementId: 'a1', origin: un, withdrawn: true }, ...always },
    { ...{ id: 'c2', agreementId: 'a1', origin: un, withdrawn: false }, ...always },
  ],
};
const about = { origin: un, recipient: de, category: 'listing.a' };

test('facts name agreements, consents and rules, and how each stood at that time', () => {
  expect(releaseFacts(policy, about, asUnixMs(500))).toEqual([
    'agreement a1 v3: in force',
    'consent c1 of un: withdrawn',
    'consent c2 of un: in force',
    'rule r1: in force, speaks of listing.a, permits identity for screening',
    'rule r2: not in force before 1970-01-01T00:00:00.600Z, speaks of listing.a, forbids identity',
  ]);
  expect(releaseFacts(policy, about, asUnixMs(1_000))[0]).toBe(
    'agreement a1 v3: over since 1970-01-01T00:00:01.000Z',
  );
});

test('what is not there is a fact too', () => {
  expect(releaseFacts(policy, { ...about, recipient: fr }, asUnixMs(500))).toEqual([
    'no agreement between un and fr',
  ]);
  const [agreement] = policy.agreements;
  if (!agreement) throw new Error('expected an agreement');
  const bare = { agreements: [{ ...agreement, rules: [] }], consents: [] };
  expect(releaseFacts(bare, about, asUnixMs(500))).toEqual([
    'agreement a1 v3: in force',
    'agreement a1 v3: un has given no consent',
    'agreement a1 v3: no rule names de',
  ]);
});

test('a policy that says something else has another version', () => {
  const other = { ...policy, consents: policy.consents.slice(1) };
  expect(policyVersion(other)).not.toBe(policyVersion(policy));
  expect(policyVersion(structuredClone(policy))).toBe(policyVersion(policy));
});
