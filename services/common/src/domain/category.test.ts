import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isCategoryName, isCategoryPattern, matchesCategory } from './category.js';

describe('a category name', () => {
  test.each(['listing', 'listing.al-qaida.individual', 'a.b.c.d.e.f.g.h', '1267', 'a'.repeat(128)])(
    'may be %p',
    (text) => {
      expect(isCategoryName(text)).toBe(true);
    },
  );

  test.each([
    '',
    '.',
    'listing.',
    '.listing',
    'listing..al-qaida',
    'Listing',
    'al_qaida',
    '-a',
    'a-',
    'a--b',
    'listing.*',
    '**',
    'listing al-qaida',
    'listing\n',
    'a.b.c.d.e.f.g.h.i',
    'a'.repeat(129),
  ])('is never %p', (text) => {
    expect(isCategoryName(text)).toBe(false);
  });
});

describe('a category pattern', () => {
  test.each(['listing', '*', '**', 'listing.*', '*.al-qaida.*', 'listing.**', '*.**'])(
    'may be %p',
    (text) => {
      expect(isCategoryPattern(text)).toBe(true);
    },
  );

  test.each(['', 'listing.', '**.individual', 'a.**.b', 'al-*', '***', 'listing.***', 'A.*'])(
    'is never %p',
    (text) => {
      expect(isCategoryPattern(text)).toBe(false);
    },
  );
});

test.each<[pattern: string, category: string, fits: boolean]>([
  ['listing', 'listing', true],
  ['listing', 'listing.al-qaida', false],
  ['listing.al-qaida', 'listing', false],
  ['listing.al-qaida', 'listing.taliban', false],
  ['listing.*', 'listing.al-qaida', true],
  ['listing.*', 'listing', false],
  ['listing.*', 'listing.al-qaida.entity', false],
  ['listing.al-qaida.*', 'listing.al-qaida.entity', true],
  ['listing.al-qaida.*', 'listing.taliban.entity', false],
  ['*.*.entity', 'listing.al-qaida.entity', true],
  ['*.*.entity', 'listing.al-qaida.individual', false],
  ['listing.**', 'listing.al-qaida', true],
  ['listing.**', 'listing.al-qaida.entity', true],
  ['listing.**', 'listing', false],
  ['listing.**', 'notice.al-qaida', false],
  ['**', 'listing', true],
  ['**', 'listing.al-qaida.entity', true],
  ['**.entity', 'listing.entity', false],
  ['person-alert.*', 'person-alert.refused-entry', true],
  ['person-alert.**', 'person-alert.missing.child', true],
  ['person-alert.*', 'person-alert', false],
  ['person.*', 'person-alert.missing', false],
  ['*.missing', 'person-alert.missing', true],
  ['', 'listing', false],
])('the pattern %p beside %p: %p', (pattern, category, fits) => {
  expect(matchesCategory(pattern, category)).toBe(fits);
});

const segment = fc.stringMatching(/^[a-z0-9]{1,6}$/);
const category = fc.array(segment, { minLength: 1, maxLength: 8 });

test('a category without stars is met by itself alone', () => {
  fc.assert(
    fc.property(category, category, (a, b) => {
      expect(matchesCategory(a.join('.'), a.join('.'))).toBe(true);
      expect(matchesCategory(a.join('.'), b.join('.'))).toBe(a.join('.') === b.join('.'));
    }),
  );
});

test('any number of segments may be left open, one star each', () => {
  fc.assert(
    fc.property(category, fc.infiniteStream(fc.boolean()), (segments, stars) => {
      const pattern = segments.map((one) => (stars.next().value === true ? '*' : one)).join('.');
      expect(isCategoryPattern(pattern)).toBe(true);
      expect(matchesCategory(pattern, segments.join('.'))).toBe(true);
      expect(matchesCategory(pattern, [...segments, 'more'].join('.'))).toBe(false);
    }),
  );
});
