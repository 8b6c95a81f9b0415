import { describe, expect, test } from '@jest/globals';
import { SECTIONS_MAX } from './header.js';
import { asUnixMs, type MemberId } from './ids.js';
import {
  COVER_RECIPIENTS_MAX,
  coverProblem,
  isLeave,
  isOpen,
  isRuleReason,
  isWhole,
  leaveProblem,
  mayOrder,
  meets,
  stageOf,
  takesSection,
} from './purge-order.js';
import type { PurgeOrder, PurgeOutcome, PurgeReason } from './records.js';

const [un, de, fr] = ['un', 'de', 'fr'] as MemberId[] as [MemberId, MemberId, MemberId];
const names = (count: number) => Array.from({ length: count }, (_, at) => `section_${String(at)}`);
const member = (at: number) => `m${String.fromCharCode(97 + (at % 26), 97 + Math.floor(at / 26))}`;
const recipients = (count: number) =>
  Array.from({ length: count }, (_, at) => member(at)) as MemberId[];

// prettier-ignore
test.each<[reason: PurgeReason, person: boolean, service: boolean]>([
  ['error', true, false],
  ['delisted', true, false],
  ['consent_withdrawn', true, false],
  ['agreement_ended', true, false],
  ['redress_upheld', true, false],
  ['partner_withdrawn', true, true],
  ['retention', false, true],
  ['superseded', false, true],
  ['scope_changed', false, true],
  ['parent_purged', false, true],
])('%s may be ordered by a person: %s, by the service: %s, by no other role', (reason, person, service) => {
  expect(mayOrder('purge-officer', reason)).toBe(person);
  expect(mayOrder('revocation', reason)).toBe(service);
  expect(mayOrder('node', reason)).toBe(false);
  expect(isRuleReason(reason)).toBe(!person);
});

describe('a cover', () => {
  // prettier-ignore
  test.each<[name: string, recipients: MemberId[], sections: string[], problem: RegExp | undefined]>([
    ['of everything is right', [], [], undefined],
    ['of as much as may be named is right', recipients(COVER_RECIPIENTS_MAX), names(SECTIONS_MAX), undefined],
    ['with a recipient twice is wrong', [de, de], [], /each recipient once/],
    ['with a section twice is wrong', [], ['remarks', 'remarks'], /each section once/],
    ['of the origin itself is wrong', [de, un], [], /other members as recipients, came un/],
    ['of one recipient too many is wrong', recipients(COVER_RECIPIENTS_MAX + 1), [], /at most 32 recipients/],
    ['of one section too many is wrong', [], names(SECTIONS_MAX + 1), /at most/],
    ['with what is no name among its sections is wrong', [], ['remarks', 'No name'], /names of sections/],
  ])('%s', (_name, to, sections, problem) => {
    const said = coverProblem(un, { recipients: to, sections });
    if (problem === undefined) expect(said).toBeUndefined();
    else expect(said).toMatch(problem);
  });

  test('is whole only when it names nobody and no section', () => {
    expect(isWhole({ recipients: [], sections: [] })).toBe(true);
    expect(isWhole({ recipients: [de], sections: [] })).toBe(false);
    expect(isWhole({ recipients: [], sections: ['remarks'] })).toBe(false);
  });

  test('takes every section unless it names some', () => {
    expect(takesSection({ sections: [] }, 'remarks')).toBe(true);
    expect(takesSection({ sections: ['identity', 'remarks'] }, 'remarks')).toBe(true);
    expect(takesSection({ sections: ['identity'] }, 'remarks')).toBe(false);
  });

  // prettier-ignore
  test.each<[recipients: MemberId[], sections: string[], expected: boolean]>([
    [[], [], true],
    [[fr, de], [], true],
    [[fr], [], false],
    [[], ['remarks'], true],
    [[], ['documents'], false],
    [[de], ['documents', 'identity'], true],
    [[fr], ['identity'], false],
  ])('of %j and %j meets what de was given of two sections: %s', (to, sections, expected) => {
    const released = { recipient: de, sections: ['identity', 'remarks'] };
    expect(meets({ recipients: to, sections }, released)).toBe(expected);
  });
});

describe('an order by which a member leaves', () => {
  const leave = {
    ...{ origin: un, ids: [], recipients: [de], sections: [], cause: null },
    ...{ issuedAtMs: asUnixMs(1), reason: 'agreement_ended' },
  } as unknown as PurgeOrder;
  const event = 'event' as never;

  test('names one member, no event and no section', () => {
    expect(isLeave(leave)).toBe(true);
    expect(isLeave({ ...leave, ids: [event] })).toBe(false);
    expect(isLeave({ ...leave, recipients: [] })).toBe(false);
    expect(isLeave({ ...leave, recipients: [de, fr] })).toBe(false);
    expect(isLeave({ ...leave, sections: ['remarks'] })).toBe(false);
  });

  // prettier-ignore
  test.each<[name: string, change: Partial<PurgeOrder>, problem: RegExp | undefined]>([
    ['for an agreement that ended is right', {}, undefined],
    ['for a partner that withdrew is right', { reason: 'partner_withdrawn' }, undefined],
    ['of nobody is wrong', { recipients: [] }, /one recipient/],
    ['of two members is wrong', { recipients: [de, fr] }, /one recipient/],
    ['of the origin is wrong', { recipients: [un] }, /another member than the origin, came un/],
    ['with an event is wrong', { ids: [event] }, /no event and no section/],
    ['with a section is wrong', { sections: ['remarks'] }, /no event and no section/],
    ['that follows from another is wrong', { cause: { parents: [] } as never }, /no event and no section/],
    ['for another reason is wrong', { reason: 'error' }, /partner_withdrawn or agreement_ended, came error/],
  ])('%s', (_name, change, problem) => {
    const said = leaveProblem({ ...leave, ...change });
    if (problem === undefined) expect(said).toBeUndefined();
    else expect(said).toMatch(problem);
  });
});

// prettier-ignore
test.each<[outcomes: PurgeOutcome[], stage: string]>([
  [['DELETED', 'NOT_HELD'], 'DELETED'],
  [['NOT_HELD', 'NOT_HELD'], 'NOT_HELD'],
  [['DELETED', 'HELD'], 'OPEN'],
  [['SYSTEMS_OPEN', 'DELETED'], 'OPEN'],
  [['CHILDREN_OPEN'], 'OPEN'],
])('outcomes %j are a receipt of stage %s', (outcomes, stage) => {
  expect(stageOf(outcomes)).toBe(stage);
  expect(outcomes.some(isOpen)).toBe(stage === 'OPEN');
});
