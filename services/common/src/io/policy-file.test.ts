import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { ConcordatError } from '../domain/errors.js';
import { readPolicyFile } from './policy-file.js';

const dir = mkdtempSync(join(tmpdir(), 'policy-'));
afterAll(() => rmSync(dir, { recursive: true }));

const FROM = '2015-01-01T00:00:00Z';
const UNTIL = '2035-01-01T00:00:00+02:00';
const FROM_MS = Date.parse(FROM);
const UNTIL_MS = Date.parse('2034-12-31T22:00:00Z');

const permit = {
  id: 'p1',
  effect: 'permit',
  recipients: ['de'],
  categories: ['listing.al-qaida.*'],
  sections: ['identity', 'listing_facts'],
  purposes: ['screening'],
  retention: { days: 365 },
};
const forbid = {
  id: 'f1',
  effect: 'forbid',
  recipients: ['fr'],
  categories: ['**'],
  sections: ['*'],
};
const agreement = {
  id: 'un-eu',
  version: 3,
  parties: ['un', 'de', 'fr'],
  from: FROM,
  until: UNTIL,
  rules: [permit, forbid],
};
const consent = { id: 'c1', agreementId: 'un-eu', origin: 'un', from: FROM_MS, until: UNTIL };
const policy = { agreements: [agreement], consents: [consent] };

function read(content: unknown) {
  const file = join(dir, 'agreements.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return readPolicyFile(file);
}

/** The lines below the first. */
function problems(content: unknown): string[] {
  try {
    read(content);
  } catch (cause) {
    if (cause instanceof ConcordatError && cause.code === 'CONFIG_INVALID') {
      return cause.message
        .split('\n')
        .slice(1)
        .map((line) => line.trim());
    }
  }
  throw new Error('the file was taken');
}

test('a file is read with its times as milliseconds, and what is not said is the least', () => {
  const span = { fromMs: FROM_MS, untilMs: UNTIL_MS };
  const { effect, recipients, categories, sections, purposes } = permit;
  expect(read(policy)).toEqual({
    agreements: [
      {
        id: 'un-eu',
        version: 3,
        parties: ['un', 'de', 'fr'],
        ...span,
        rules: [
          {
            ...{ id: 'p1', effect, recipients, categories, sections, purposes },
            ...{ retentionMs: 365 * 86_400_000, ...span, custody: 'held', onward: false },
          },
          {
            ...forbid,
            ...{ purposes: [], retentionMs: 0, ...span, custody: 'held', onward: false },
          },
        ],
      },
    ],
    consents: [{ id: 'c1', agreementId: 'un-eu', origin: 'un', ...span, withdrawn: false }],
  });
});

test('a rule may have its own interval and retention in milliseconds', () => {
  const rules = [
    { ...permit, retention: 60_000, from: FROM_MS + 1, onward: true, custody: 'leased' },
  ];
  const [read1] = read({ ...policy, agreements: [{ ...agreement, rules }] }).agreements;
  expect(read1?.rules).toMatchObject([
    {
      retentionMs: 60_000,
      fromMs: FROM_MS + 1,
      untilMs: UNTIL_MS,
      onward: true,
      custody: 'leased',
    },
  ]);
});

const withAgreement = (some: object) => ({ ...policy, agreements: [{ ...agreement, ...some }] });
const withPermit = (some: object) => withAgreement({ rules: [{ ...permit, ...some }] });
const withConsent = (some: object) => ({ ...policy, consents: [{ ...consent, ...some }] });
const AGREEMENT = 'agreements[0]';
const RULE = 'agreements[0].rules[0]';
const TIME = 'expected a time such as 2015-02-26T00:00:00Z, or milliseconds since 1970';
const RETENTION = 'expected {"days": 1 to 36525}, or milliseconds';

describe('a file is refused, naming the place,', () => {
  test.each<[name: string, content: unknown, problem: string]>([
    ['with another field', { ...policy, note: '' }, 'note: unknown field'],
    [
      'with another field of an agreement',
      withAgreement({ v: 1 }),
      `${AGREEMENT}.v: unknown field`,
    ],
    ['with another field of a rule', withPermit({ days: 1 }), `${RULE}.days: unknown field`],
    ['with another field of a consent', withConsent({ a: 1 }), 'consents[0].a: unknown field'],
    [
      'with a retention for what is forbidden',
      withAgreement({ rules: [{ ...forbid, retention: 1 }] }),
      `${RULE}.retention: unknown field`,
    ],
    ['without consents', { agreements: [] }, 'consents: expected array, received undefined'],
    [
      'with an effect of its own',
      withPermit({ effect: 'maybe' }),
      `${RULE}.effect: expected permit or forbid`,
    ],
    [
      'with version 0',
      withAgreement({ version: 0 }),
      `${AGREEMENT}.version: Too small: expected number to be >=1`,
    ],
    [
      'with one party',
      withAgreement({ parties: ['un'], rules: [] }),
      `${AGREEMENT}.parties: expected two parties or more`,
    ],
    [
      'with a party twice',
      withAgreement({ parties: ['un', 'de', 'fr', 'fr'] }),
      `${AGREEMENT}.parties: expected each value once`,
    ],
    [
      'with a party in capitals',
      withAgreement({ parties: ['un', 'de', 'fr', 'NL'] }),
      `${AGREEMENT}.parties[3]: expected a member id of 2 to 8 lower-case letters`,
    ],
    ['with a date alone', withAgreement({ from: '2015-01-01' }), `${AGREEMENT}.from: ${TIME}`],
    [
      'with a local time',
      withAgreement({ from: '2015-01-01T00:00:00' }),
      `${AGREEMENT}.from: ${TIME}`,
    ],
    [
      'with a day that is none',
      withAgreement({ from: '2015-02-30T00:00:00Z' }),
      `${AGREEMENT}.from: ${TIME}`,
    ],
    ['with half a millisecond', withAgreement({ from: 0.5 }), `${AGREEMENT}.from: ${TIME}`],
    [
      'with a time before 1970',
      withAgreement({ from: -1 }),
      `${AGREEMENT}.from: Too small: expected number to be >=0`,
    ],
    [
      'with an interval of nothing',
      withAgreement({ until: FROM, rules: [] }),
      `${AGREEMENT}.until: expected a time after \`from\``,
    ],
    [
      'with a rule that ends before it begins',
      withPermit({ from: 2, until: 1 }),
      `${RULE}.until: expected a time after \`from\``,
    ],
    [
      'with a rule that begins after its agreement',
      withPermit({ from: UNTIL }),
      `${RULE}.until: expected a time after \`from\``,
    ],
    [
      'with a consent that ends before it begins',
      withConsent({ until: 0 }),
      'consents[0].until: expected a time after `from`',
    ],
    [
      'with a retention of no time',
      withPermit({ retention: 0 }),
      `${RULE}.retention: Too small: expected number to be >=1`,
    ],
    [
      'with a retention in hours',
      withPermit({ retention: { hours: 1 } }),
      `${RULE}.retention: ${RETENTION}`,
    ],
    [
      'with a retention of half a day',
      withPermit({ retention: { days: 0.5 } }),
      `${RULE}.retention: ${RETENTION}`,
    ],
    [
      'with all sections and one more',
      withPermit({ sections: ['*', 'identity'] }),
      `${RULE}.sections: expected * alone`,
    ],
    [
      'with a section twice',
      withPermit({ sections: ['identity', 'identity'] }),
      `${RULE}.sections: expected each value once`,
    ],
    ['without sections', withPermit({ sections: [] }), `${RULE}.sections: expected at least one`],
    ['without a purpose', withPermit({ purposes: [] }), `${RULE}.purposes: expected at least one`],
    [
      'with any purpose',
      withPermit({ purposes: ['*'] }),
      `${RULE}.purposes[0]: expected a name of lower-case letters, digits, hyphens and underscores`,
    ],
    [
      'with half a star',
      withPermit({ categories: ['listing.al-*'] }),
      `${RULE}.categories[0]: expected a category name, in which * stands for a segment`,
    ],
    [
      'with custody of another kind',
      withPermit({ custody: 'kept' }),
      `${RULE}.custody: expected held or leased`,
    ],
    [
      'with a recipient who is no party',
      withPermit({ recipients: ['de', 'nl'] }),
      `${RULE}.recipients[1]: expected a party of the agreement`,
    ],
    [
      'with a blank in an id',
      withPermit({ id: 'p 1' }),
      `${RULE}.id: expected 1 to 64 letters, digits, dots, hyphens or underscores`,
    ],
    [
      'with a consent to no agreement',
      withConsent({ agreementId: 'x' }),
      'consents[0].agreementId: expected an agreement of this file',
    ],
    [
      'with a consent of no party',
      withConsent({ origin: 'nl' }),
      'consents[0].origin: expected a party of the agreement',
    ],
    [
      'with an agreement twice',
      { ...policy, agreements: [agreement, agreement] },
      'agreements[1].id: expected each id once',
    ],
    [
      'with a consent twice',
      { ...policy, consents: [consent, consent] },
      'consents[1].id: expected each id once',
    ],
    [
      'with a rule twice',
      withAgreement({ rules: [permit, { ...forbid, id: 'p1' }] }),
      `${AGREEMENT}.rules[1].id: expected each id once`,
    ],
  ])('%s', (_name, content, problem) => {
    expect(problems(content)).toEqual([problem]);
  });

  test('all places at once, whatever their kind', () => {
    const rules = [
      { ...permit, retention: 'long' },
      { ...forbid, id: 'p1', why: '' },
    ];
    expect(
      problems({
        agreements: [{ ...agreement, rules }, agreement],
        consents: [
          { ...consent, from: 'yesterday' },
          { ...consent, id: 'c2', until: 0 },
        ],
      }),
    ).toEqual([
      `${RULE}.retention: ${RETENTION}`,
      'agreements[0].rules[1].why: unknown field',
      `consents[0].from: ${TIME}`,
      'agreements[1].id: expected each id once',
      'agreements[0].rules[1].id: expected each id once',
      'consents[1].until: expected a time after `from`',
    ]);
  });

  test.each([
    ['that is no JSON', '{"agreements": [', 'expected JSON'],
    ['with a field twice', '{"agreements": [], "agreements": []}', 'agreements'],
    ['that is a list', '[]', 'expected object'],
  ])('%s', (_name, content, text) => {
    expect(() => read(content)).toThrow(text);
    expect(() => read(content)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });

  test('that is not there', () => {
    const file = join(dir, 'nowhere.json');
    const message = `${file}: expected a readable file, came ENOENT`;
    expect(() => readPolicyFile(file)).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', message }),
    );
  });
});
