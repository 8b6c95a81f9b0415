import { describe, expect, test } from '@jest/globals';
import type { UnEntry } from './entry.js';
import { diffEntries } from './match.js';
import { parseReferenceNumber, toSnapshot } from './snapshot.js';
import { parseXml } from '../../io/un-list-xml.js';

/** The entries of a list of individuals, each given by what stands inside the element. */
function individuals(...inner: string[]): readonly UnEntry[] {
  const elements = inner.map((one) => `<INDIVIDUAL>${one}</INDIVIDUAL>`).join('');
  return entriesOf(`<INDIVIDUALS>${elements}</INDIVIDUALS>`);
}

function entriesOf(groups: string): readonly UnEntry[] {
  const xml = parseXml(
    `<CONSOLIDATED_LIST dateGenerated="2015-02-26">${groups}</CONSOLIDATED_LIST>`,
  );
  if (!xml.ok) throw xml.error;
  const snapshot = toSnapshot(xml.value);
  if (!snapshot.ok) throw snapshot.error;
  return snapshot.value.entries;
}

const FACTS = '<REFERENCE_NUMBER>QDi.001</REFERENCE_NUMBER><UN_LIST_TYPE>Al-Qaida</UN_LIST_TYPE>';
const BASE = `<DATAID>7</DATAID>${FACTS}<NOTE>one two</NOTE><TITLE><VALUE>a</VALUE></TITLE>`;

describe('an entry of the same reference', () => {
  test.each([
    ['the same', BASE],
    ['wrapped differently', BASE.replace('one two', '\n  one \t two\r\n ')],
    ['indented', BASE.replaceAll('><', '>\n   <')],
    ['with an attribute', BASE.replace('<NOTE>', '<NOTE lang="en">')],
    ['with CDATA', BASE.replace('one two', '<![CDATA[one two]]>')],
  ])('is unchanged when it is %s', (_name, inner) => {
    const diff = diffEntries(individuals(BASE), individuals(inner));
    expect(diff.unchanged).toHaveLength(1);
    expect(diff.amended).toEqual([]);
  });

  test.each([
    ['another DATAID', BASE.replace('7', '8')],
    ['an empty element more', `${BASE}<GENDER/>`],
    ['an empty element less inside', BASE.replace('<VALUE>a</VALUE>', '')],
    ['another order', BASE.replace(/^(<DATAID>7<\/DATAID>)(.*)$/, '$2$1')],
    ['another name of an element', BASE.replaceAll('NOTE', 'COMMENTS1')],
    ['letters of another case', BASE.replace('one two', 'One two')],
    ['white space lost between words', BASE.replace('one two', 'onetwo')],
    ['a no-break space', BASE.replace('one two', 'one\u00a0two')],
    ['a reference with a final dot', BASE.replace('QDi.001', 'QDi.001.')],
    ['text before a child', BASE.replace('<VALUE>', 'b<VALUE>')],
  ])('is amended by %s', (_name, inner) => {
    const after = individuals(inner);
    const before = individuals(BASE);
    expect(diffEntries(before, after)).toEqual({
      added: [],
      amended: [{ before: before[0], after: after[0] }],
      delisted: [],
      unchanged: [],
    });
  });

  test('is amended when it becomes an entity', () => {
    const after = entriesOf(`<ENTITIES><ENTITY>${BASE}</ENTITY></ENTITIES>`);
    expect(diffEntries(individuals(BASE), after).amended).toHaveLength(1);
  });
});

test('an entry of another reference is added, an absent one delisted', () => {
  const [one, two, three] = ['QDi.001', 'QDi.002', 'QDi.003'].map((reference) =>
    BASE.replace('QDi.001', reference),
  ) as [string, string, string];
  const diff = diffEntries(individuals(three, two, one), individuals(two));
  expect(diff.delisted.map(({ reference }) => reference)).toEqual(['QDi.001', 'QDi.003']);
  expect(diff.unchanged.map(({ reference }) => reference)).toEqual(['QDi.002']);
  expect(diffEntries([], individuals(two, one)).added).toHaveLength(2);
});

test.each([
  ['  QDi.328\n', 'QDi.328'],
  ['QDi.343.', 'QDi.343'],
  ['QDi.343..', 'QDi.343.'],
  ['TAI.171', 'TAI.171'],
  [' . ', undefined],
  ['', undefined],
])('the reference of %j is %j', (text, reference) => {
  expect(parseReferenceNumber(text)).toBe(reference);
});
