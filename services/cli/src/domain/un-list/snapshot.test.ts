import { expect, test } from '@jest/globals';
import { parseXml } from '../../io/un-list-xml.js';
import { parseGenerated, toSnapshot } from './snapshot.js';

function snapshotOf(xml: string) {
  const document = parseXml(xml);
  if (!document.ok) throw document.error;
  return toSnapshot(document.value);
}

const entry = (reference: string, list = 'Iran') =>
  `<REFERENCE_NUMBER>${reference}</REFERENCE_NUMBER><UN_LIST_TYPE>${list}</UN_LIST_TYPE>`;
const list = (inner: string) =>
  `<CONSOLIDATED_LIST dateGenerated="2015-02-26">${inner}</CONSOLIDATED_LIST>`;

test.each([
  ['2015-02-26T16:23:35.52-05:00', Date.UTC(2015, 1, 26, 21, 23, 35, 520)],
  ['2015-02-26T16:23:35', Date.UTC(2015, 1, 26, 16, 23, 35)],
  ['2015-02-26T16:23:35Z', Date.UTC(2015, 1, 26, 16, 23, 35)],
  ['2015-02-26T16:23', Date.UTC(2015, 1, 26, 16, 23)],
  ['2015-02-26', Date.UTC(2015, 1, 26)],
  ['2015-02-30', undefined],
  ['2015-02-26T25:00:00Z', undefined],
  ['26 February 2015', undefined],
  ['', undefined],
])('a list generated at %j has the time %j', (text, ms) => {
  expect(parseGenerated(text)).toBe(ms);
});

test('individual or entity comes from the element', () => {
  const snapshot = snapshotOf(
    list(
      `<ENTITIES><ENTITY>${entry('QDi.1', ' Al-Qaida ')}</ENTITY></ENTITIES>` +
        `<INDIVIDUALS><INDIVIDUAL>${entry('QDe.1.')}</INDIVIDUAL></INDIVIDUALS><NEWS/>`,
    ),
  );
  expect(snapshot).toMatchObject({
    ok: true,
    value: {
      entries: [
        { kind: 'entity', reference: 'QDi.1', listType: 'Al-Qaida' },
        { kind: 'individual', reference: 'QDe.1' },
      ],
    },
  });
});

const ONE = `<INDIVIDUALS><INDIVIDUAL>${entry('a')}</INDIVIDUAL></INDIVIDUALS>`;
test.each([
  ['another root', '<LIST/>', '/: expected CONSOLIDATED_LIST, got LIST'],
  ['no date', '<CONSOLIDATED_LIST/>', 'expected dateGenerated like'],
  ['no entries', list('<INDIVIDUALS/><ENTITIES/>'), 'expected at least one entry, got none'],
  ['a third group', list(`${ONE}<SHIPS><SHIP>x</SHIP></SHIPS>`), '/SHIPS: an unknown element'],
  ['text in the list', list(`x${ONE}`), '/CONSOLIDATED_LIST: expected elements only'],
  ['text in a group', list('<ENTITIES>x</ENTITIES>'), '/ENTITIES: expected elements only'],
  ['another element', list('<ENTITIES><SHIP>x</SHIP></ENTITIES>'), '/ENTITIES/SHIP: an unknown'],
  [
    'an entry without reference',
    list(`<ENTITIES><ENTITY>${entry(' . ')}</ENTITY></ENTITIES>`),
    '/CONSOLIDATED_LIST/ENTITIES/ENTITY[1]: expected a REFERENCE_NUMBER, got none',
  ],
  [
    'an entry without list',
    list(`${ONE}<ENTITIES><ENTITY>${entry('b', ' ')}</ENTITY></ENTITIES>`),
    '/CONSOLIDATED_LIST/ENTITIES/ENTITY[1]: expected a UN_LIST_TYPE, got none',
  ],
  [
    'two entries of one reference',
    list(`${ONE}<ENTITIES><ENTITY>${entry(' a. ')}</ENTITY></ENTITIES>`),
    'ENTITY[1]: has the REFERENCE_NUMBER of /CONSOLIDATED_LIST/INDIVIDUALS/INDIVIDUAL[1]',
  ],
])('a list with %s is refused', (_name, xml, message) => {
  const snapshot = snapshotOf(xml);
  expect(snapshot).toMatchObject({ ok: false, error: { code: 'EVENT_INVALID' } });
  expect(!snapshot.ok && snapshot.error.message).toContain(message);
});
