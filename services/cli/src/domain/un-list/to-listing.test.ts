import { describe, expect, test } from '@jest/globals';
import { parseXml } from '../../io/un-list-xml.js';
import type { UnEntry } from './entry.js';
import { listingDifferences } from './listing.js';
import { toSnapshot } from './snapshot.js';
import { categoryOf, toListing } from './to-listing.js';

const DATE = '2015-02-26T16:23:35.52-05:00';
const FACTS = '<REFERENCE_NUMBER>QDi.343.</REFERENCE_NUMBER><UN_LIST_TYPE>CdI</UN_LIST_TYPE>';

function entryOf(inner: string, element: 'INDIVIDUAL' | 'ENTITY' = 'INDIVIDUAL'): UnEntry {
  const group = element === 'ENTITY' ? 'ENTITIES' : 'INDIVIDUALS';
  const xml = parseXml(
    `<CONSOLIDATED_LIST dateGenerated="${DATE}"><${group}><${element}>${FACTS}${inner}</${element}></${group}></CONSOLIDATED_LIST>`,
  );
  if (!xml.ok) throw xml.error;
  const snapshot = toSnapshot(xml.value);
  const entry = snapshot.ok ? snapshot.value.entries[0] : undefined;
  if (!entry) throw new Error('no entry');
  return entry;
}

function listingOf(inner: string, element?: 'INDIVIDUAL' | 'ENTITY') {
  const listing = toListing(entryOf(inner, element), DATE);
  if (!listing.ok) throw listing.error;
  return listing.value;
}

test('the category is the list in lower case and the element', () => {
  expect(categoryOf(entryOf(''))).toBe('listing.cdi.individual');
  expect(categoryOf(entryOf('', 'ENTITY'))).toBe('listing.cdi.entity');
});

describe('a listing', () => {
  test('has null and empty lists for what the entry does not have', () => {
    const listing = listingOf('<TITLE/><FIRST_NAME> \n</FIRST_NAME><INDIVIDUAL_ALIAS/>');
    const values: readonly (readonly [string, unknown])[] = Object.entries(listing);
    const texts = values.filter(([, value]) => typeof value === 'string');
    expect(Object.fromEntries(texts)).toEqual({
      dateGenerated: DATE,
      referenceNumber: 'QDi.343.',
      unListType: 'CdI',
    });
    const others = values.filter(([, value]) => value !== null && typeof value !== 'string');
    expect(others.map(([, value]) => value)).toEqual(Array.from({ length: 11 }, () => []));
  });

  test('keeps texts as they stand, less white space at their ends', () => {
    const inner =
      '<FIRST_NAME>\n a  b\u00a0\n c &amp; d </FIRST_NAME><VERSIONNUM> 01 </VERSIONNUM>';
    expect(listingOf(inner)).toMatchObject({ firstName: 'a  b\u00a0\n c & d', versionNum: '01' });
  });

  test('keeps order and multiplicity of values', () => {
    const value = (text: string) => `<VALUE>${text}</VALUE>`;
    const inner =
      `<DESIGNATION>${value('b')}<VALUE/>${value('a')}</DESIGNATION>` +
      `<DESIGNATION>${value('b')}</DESIGNATION>`;
    expect(listingOf(inner).designations).toEqual(['b', 'a', 'b']);
  });

  test('puts every note into the remarks, in the order of the entry, with its place', () => {
    const alias = (name: string, note = '') =>
      `<INDIVIDUAL_ALIAS><ALIAS_NAME>${name}</ALIAS_NAME>${note}</INDIVIDUAL_ALIAS>`;
    const listing = listingOf(
      `${alias('')}${alias('x')}<COMMENTS1>c</COMMENTS1>${alias('y', '<NOTE>n</NOTE>')}` +
        '<INDIVIDUAL_DOCUMENT><NOTE>only a note</NOTE></INDIVIDUAL_DOCUMENT>',
    );
    expect(listing.remarks).toEqual([
      { of: 'INDIVIDUAL', index: 0, text: 'c' },
      { of: 'INDIVIDUAL_ALIAS', index: 1, text: 'n' },
      { of: 'INDIVIDUAL_DOCUMENT', index: 0, text: 'only a note' },
    ]);
    expect(listing.aliases.map(({ aliasName }) => aliasName)).toEqual(['x', 'y']);
    expect(listing.documents).toHaveLength(1);
  });

  test('reads aliases and addresses of an entity', () => {
    const inner =
      '<ENTITY_ALIAS><QUALITY>a.k.a.</QUALITY><ALIAS_NAME>x</ALIAS_NAME></ENTITY_ALIAS>' +
      '<ENTITY_ADDRESS><CITY>y</CITY><NOTE>z</NOTE></ENTITY_ADDRESS><COMMENTS1>c</COMMENTS1>';
    expect(listingOf(inner, 'ENTITY')).toMatchObject({
      aliases: [{ quality: 'a.k.a.', aliasName: 'x' }],
      addresses: [{ city: 'y', street: null }],
      remarks: [
        { of: 'ENTITY_ADDRESS', index: 0, text: 'z' },
        { of: 'ENTITY', index: 0, text: 'c' },
      ],
    });
  });

  const PATH = '/CONSOLIDATED_LIST/INDIVIDUALS/INDIVIDUAL[1]';
  test.each([
    ['an unknown element', '<IRIS_SCAN>x</IRIS_SCAN>', '/IRIS_SCAN: an unknown'],
    ['text deep inside one', '<A><B><C>x</C></B></A>', '/A: an unknown'],
    ['text beside elements', 'x<GENDER>y</GENDER>', ': expected elements only, got text'],
    ["an entity's element", '<ENTITY_ALIAS><NOTE>x</NOTE></ENTITY_ALIAS>', '/ENTITY_ALIAS: an'],
    ['an element in a text', '<GENDER>x<B>y</B></GENDER>', '/GENDER/B: an unknown'],
    ['a single element twice', '<GENDER>x</GENDER><GENDER>y</GENDER>', '/GENDER: expected once'],
    ['text where values stand', '<TITLE>x</TITLE>', '/TITLE: expected elements only'],
    ['another element than values', '<TITLE><A>x</A></TITLE>', '/TITLE/A: an unknown'],
    [
      'an unknown element of an item',
      '<INDIVIDUAL_ALIAS/><INDIVIDUAL_ALIAS><QUALITY>x</QUALITY></INDIVIDUAL_ALIAS>' +
        '<INDIVIDUAL_ALIAS><SCRIPT>x</SCRIPT></INDIVIDUAL_ALIAS>',
      '/INDIVIDUAL_ALIAS[2]/SCRIPT: an unknown',
    ],
    [
      'text beside the elements of an item',
      '<INDIVIDUAL_ALIAS>x</INDIVIDUAL_ALIAS>',
      '/INDIVIDUAL_ALIAS[1]: expected elements only',
    ],
    ['a value inside a value', '<TITLE><VALUE><V>x</V></VALUE></TITLE>', '/TITLE/VALUE/V: an'],
  ])('is refused, by its path, for %s', (_name, inner, where) => {
    const result = toListing(entryOf(inner), DATE);
    expect(result).toMatchObject({ ok: false, error: { code: 'EVENT_INVALID' } });
    expect(!result.ok && result.error.message).toContain(`${PATH}${where}`);
  });

  test('names every unknown element at once, and no content', () => {
    const result = toListing(entryOf('<A>secret</A><B>secret</B><C/>'), DATE);
    expect(!result.ok && result.error.message).toBe(
      'UN list entry does not fit schema listing.v1: ' +
        `${PATH}/A: an unknown element that holds text; ${PATH}/B: an unknown element that holds text`,
    );
  });
});

describe('a listing read back', () => {
  const FIELDS = ['firstName', 'aliases', 'dateGenerated'];
  const alias = '<INDIVIDUAL_ALIAS><ALIAS_NAME>x y</ALIAS_NAME></INDIVIDUAL_ALIAS>';
  const expected = listingOf(`<FIRST_NAME>a b</FIRST_NAME>${alias}`);
  const { firstName, aliases, dateGenerated } = expected;

  test.each<[name: string, read: Record<string, unknown>, differences: string[]]>([
    ['the same', { firstName, aliases, dateGenerated }, []],
    ['of an earlier list', { firstName, aliases, dateGenerated: '2014-01-01' }, []],
    ['wrapped', { firstName: 'a\n  b', aliases, dateGenerated }, []],
    ['changed', { firstName: 'a c', aliases, dateGenerated }, ['firstName']],
    ['changed inside', { firstName, aliases: [{}], dateGenerated }, ['aliases']],
    ['less one field', { firstName, dateGenerated }, ['aliases']],
    ['less its date', { firstName, aliases }, ['dateGenerated']],
    ['with a field too many', { firstName, aliases, dateGenerated, remarks: [] }, ['remarks']],
  ])('%s', (_name, read, differences) => {
    expect(listingDifferences(expected, read, FIELDS)).toEqual(differences);
  });
});
