import { describe, expect, test } from '@jest/globals';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import { type Change, type ShownEvent, amendmentOf } from './amendment.js';

const ID = '01890a5d-ac96-774b-bcce-b302099a8057' as EventId;
const old: ShownEvent = {
  ...{ eventId: ID, state: 'PUBLISHED', supersededBy: '', category: 'listing.a' },
  schemaHash: Uint8Array.of(1),
  ...{ purposes: ['screening'], legalBasis: 'Act', collectedAtMs: 1, retainUntilMs: 9 },
  handling: { tlp: 'AMBER', europol: 'H1', source: 'A', information: 2 },
  audience: { byAgreement: true, members: [] },
};
const kept = {
  ...{ supersedes: ID, category: 'listing.a', schemaHash: Uint8Array.of(1) },
  ...{ purposes: ['screening'], legalBasis: 'Act', collectedAtMs: 1, retainUntilMs: 9 },
  handling: { tlp: 'AMBER', europol: 'H1', source: 'A', information: 2 },
  audience: { byAgreement: true, members: [] },
};
const DE = 'de' as MemberId;

describe('an amendment', () => {
  test.each<[name: string, change: Change, expected: object]>([
    ['keeps every fact of the old event', {}, {}],
    ['has other purposes', { purposes: ['statistics'] }, { purposes: ['statistics'] }],
    ['has another legal basis', { legalBasis: 'Act 2' }, { legalBasis: 'Act 2' }],
    ['ends at another time', { retainUntilMs: 5 }, { retainUntilMs: 5 }],
    [
      'goes to other recipients',
      { to: [DE] },
      { audience: { byAgreement: false, members: ['de'] } },
    ],
    [
      'goes to whoever may',
      { byAgreement: true },
      { audience: { byAgreement: true, members: [] } },
    ],
    [
      'is handled otherwise in one respect',
      { tlp: 'RED', information: 1 },
      { handling: { tlp: 'RED', europol: 'H1', source: 'A', information: 1 } },
    ],
    [
      'is handled otherwise in the others',
      { europol: 'H0', source: 'B' },
      { handling: { tlp: 'AMBER', europol: 'H0', source: 'B', information: 2 } },
    ],
  ])('%s', (_name, change, expected) => {
    expect(amendmentOf(ID, old, change)).toEqual({ ok: true, value: { ...kept, ...expected } });
  });

  test.each<[name: string, shown: ShownEvent, change: Change, code: string, text: RegExp]>([
    [
      'of what was replaced',
      { ...old, state: 'PURGED', supersededBy: 'x' },
      {},
      ...(['REQUEST_INVALID', /replaced by x/] as const),
    ],
    ['of what is gone', { ...old, state: 'PURGED' }, {}, 'PURGED', /taken back already/],
    [
      'for two audiences',
      old,
      { to: [DE], byAgreement: true },
      ...(['REQUEST_INVALID', /came both/] as const),
    ],
  ])('%s is refused', (_name, shown, change, code, text) => {
    const refused = amendmentOf(ID, shown, change);
    expect(refused).toMatchObject({
      ok: false,
      error: { code, message: expect.stringMatching(text) },
    });
  });
});
