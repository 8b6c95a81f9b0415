import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { schemasDir } from '../../../../test/support/federation.js';
import { checkAnnotations, isCategorySchema, parseCategorySchema } from './category-schema.js';
import { parseSubject, subjectRules, subjectsIn } from './subjects.js';

describe('a subject', () => {
  test.each([
    ['name:Doe, John', 'name:doe john'],
    ['name:JOHN  doe', 'name:doe john'],
    ['name:Zoe\u0301', 'name:zo\u00e9'],
    ['name:\u0645\u062d\u0645\u062f', 'name:\u0645\u062d\u0645\u062f'],
    ['document:XA 1234-567', 'document:xa1234567'],
    ['account:DE89 3704 0044 0532 0130 00', 'account:de89370400440532013000'],
    ['reference:QDi.012', 'reference:qdi012'],
  ])('%s is found as %s', (text, spelled) => {
    expect(parseSubject(text)).toEqual({ ok: true, value: spelled });
  });

  test.each(['John Doe', 'name:', 'name: - ', 'person:John', 'Name:John', ''])(
    '%j is none',
    (text) => {
      expect(parseSubject(text)).toEqual({ ok: false, error: 'SUBJECT_MALFORMED' });
    },
  );

  test('is spelled one way, whatever its case and the order of its words', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1 }), (words) => {
        const one = parseSubject(`name:${words.join(' ')}`);
        const other = parseSubject(`name:${[...words].reverse().join(', ').toUpperCase()}`);
        expect(other).toEqual(one);
      }),
    );
  });
});

test('a text in ASCII is spelled as one in another script would be', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const [name, withLetter] = [`name:${text}`, `name:${text} \u00e9`].map(parseSubject);
      const words = name?.ok ? name.value.slice('name:'.length).split(' ') : [];
      const expected = [...words, '\u00e9'].sort().join(' ');
      expect(withLetter).toEqual({ ok: true, value: `name:${expected}` });
    }),
  );
});

describe('the subjects of an event', () => {
  test('are all of its names and numbers, each once', () => {
    const event = {
      ...{ familyName: 'DOE', givenNames: ['John', 'Q.'], nameOriginalScript: null },
      aliases: [
        { familyName: 'Roe', givenNames: ['Jane'] },
        { familyName: 'John', givenNames: ['Q', 'Doe'] },
      ],
      documents: [{ number: 'XA 12' }, { number: 'XA12' }],
      reference: 'R-1',
    };
    expect(subjectsIn(subjectRules('person-alert', undefined), event)).toEqual([
      'name:doe john q',
      'name:jane roe',
      'document:xa12',
      'reference:r1',
    ]);
  });

  test('may be the items of a list', () => {
    const rules = subjectRules('threat-indicator', undefined);
    expect(subjectsIn(rules, { threatActors: ['Foo Bear', 'Bar Panda'], stixId: 'i--1' })).toEqual([
      'name:bear foo',
      'name:bar panda',
      'reference:i1',
    ]);
  });

  test('of a category that names none are none', () => {
    expect(subjectsIn(subjectRules('information-report', undefined), { title: 'x' })).toEqual([]);
  });

  test('are not taken from what everything inherits', () => {
    expect(subjectsIn([{ kind: 'name', of: ['toString', 'constructor'] }], {})).toEqual([]);
  });
});

/** A field that a rule misspells would name no subject, and nobody would find its events. */
test('every rule names fields of every version of its category', () => {
  const schemas = readdirSync(schemasDir)
    .filter((file) => file.endsWith('.avsc'))
    .map((file) => JSON.parse(readFileSync(join(schemasDir, file), 'utf8')) as unknown)
    .filter(isCategorySchema) as Record<string, unknown>[];
  const withRules = schemas.map((schema) => {
    const parsed = parseCategorySchema(schema);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
    const { subjects } = parsed.value;
    expect(checkAnnotations({ ...schema, subjects })).toEqual([]);
    return subjects.length > 0;
  });
  expect(withRules.filter(Boolean)).toHaveLength(6);
});

describe('a schema that says it itself', () => {
  const who = { section: 'who', purge: 'purge' };
  const seenBy = {
    type: 'record',
    name: 'Witness',
    fields: [{ name: 'name', type: 'string', ...who }],
  };
  const schema = (subjects: unknown) => ({
    ...{ type: 'record', name: 'Sighting', category: 'sighting', sections: ['who'], subjects },
    fields: [
      { name: 'plate', type: 'string', ...who },
      { name: 'seenBy', type: { type: 'array', items: seenBy }, ...who },
    ],
  });

  test('is believed', () => {
    const subjects = [
      { kind: 'reference', of: ['plate'] },
      { kind: 'name', each: 'seenBy', of: ['name'] },
    ];
    const parsed = parseCategorySchema(schema(subjects));
    expect(parsed).toMatchObject({ ok: true, value: { subjects } });
  });

  test.each<[unknown, string]>([
    ['plate', 'subjects is not a list'],
    [['plate'], 'a subject is not an object'],
    [
      [{ kind: 'person', of: ['plate'] }],
      "a subject's kind is none of name, document, account, reference",
    ],
    [[{ kind: 'name' }], 'a subject names no field'],
    [[{ kind: 'name', of: [] }], 'of is not a list of names of fields'],
    [[{ kind: 'name', each: 7 }], 'each is not the name of a field'],
    [[{ kind: 'name', of: ['plate'], from: 'x' }], 'a subject has kind, each and of, not from'],
    [[{ kind: 'name', of: ['plaet'] }], 'subjects: no field plaet'],
    [[{ kind: 'name', each: 'plate', of: ['name'] }], 'subjects: plate is not a list'],
    [[{ kind: 'name', each: 'seenBy', of: ['plate'] }], 'subjects: no field plate'],
  ])('is refused when it says %j', (subjects, problem) => {
    expect(checkAnnotations(schema(subjects))).toEqual([{ path: 'Sighting', problem }]);
  });
});
