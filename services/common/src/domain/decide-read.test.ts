import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type ReadDecision, type ReadQuestion, decideRead } from './decide-read.js';
import { asUnixMs } from './ids.js';

const NOW = asUnixMs(1_700_000_000_000);
const question: ReadQuestion = {
  release: { purposes: ['screening', 'investigation'], deleteByMs: asUnixMs(NOW + 1) },
  purpose: 'investigation',
  caseId: 'BKA/2015-0042',
  role: 'system',
};
const refused = (reason: string) => ({ outcome: 'refused', reason }) as ReadDecision;

test.each<[name: string, given: Partial<ReadQuestion>, expected: ReadDecision]>([
  ['a national system reads for a released purpose', {}, { outcome: 'read' }],
  ['an operator sees no content', { role: 'operator' }, refused('ROLE_NOT_ALLOWED')],
  ['a node sees no content', { role: 'node' }, refused('ROLE_NOT_ALLOWED')],
  ['an unnamed role sees no content', { role: '' }, refused('ROLE_NOT_ALLOWED')],
  ['a reading belongs to a case', { caseId: '' }, refused('CASE_MISSING')],
  ['a case is more than a blank', { caseId: ' ' }, refused('CASE_MISSING')],
  ['a case begins with a letter or digit', { caseId: '-1' }, refused('CASE_MISSING')],
  ['a case holds no line feed', { caseId: 'case-1\n' }, refused('CASE_MISSING')],
  ['a case may have 64 characters', { caseId: 'c'.repeat(64) }, { outcome: 'read' }],
  ['a case has no more than 64 characters', { caseId: 'c'.repeat(65) }, refused('CASE_MISSING')],
  ['a case may be named in any script', { caseId: 'Aktenzeichen-Ä1' }, { outcome: 'read' }],
  ['another purpose is refused', { purpose: 'statistics' }, refused('PURPOSE_NOT_RELEASED')],
  ['no purpose is refused', { purpose: '' }, refused('PURPOSE_NOT_RELEASED')],
  [
    'nothing is read from the moment of deletion on',
    { release: { ...question.release, deleteByMs: NOW } },
    refused('DELETE_BY_PASSED'),
  ],
])('%s', (_name, given, expected) => {
  expect(decideRead({ ...question, ...given }, NOW)).toEqual(expected);
});

test('no reading without all four: role, case, purpose and time', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('system', 'operator', 'node', 'consent', 'revocation'),
      fc.constantFrom('BKA/2015-0042', ''),
      fc.constantFrom('screening', 'statistics'),
      fc.integer({ min: -2, max: 2 }),
      (role, caseId, purpose, leftMs) => {
        const release = { ...question.release, deleteByMs: asUnixMs(NOW + leftMs) };
        const may = role === 'system' && caseId !== '' && purpose === 'screening' && leftMs > 0;
        const { outcome } = decideRead({ release, purpose, caseId, role }, NOW);
        expect(outcome).toBe(may ? 'read' : 'refused');
      },
    ),
  );
});
