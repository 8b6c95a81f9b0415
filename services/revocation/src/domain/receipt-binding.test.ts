import { describe, expect, test } from '@jest/globals';
import { sha256, utf8 } from '@concordat/common/domain/bytes.js';
import { EMPTY_HEAD, nextLink } from '@concordat/common/domain/chain.js';
import { asUnixMs } from '@concordat/common/domain/ids.js';
import type { PurgeEntry, Receipt } from '@concordat/common/domain/records.js';
import { SUITE } from '@concordat/common/domain/statement.js';
import { memberOf } from '../../../../test/support/federation.js';
import { orderId } from '../../../../test/support/ledger.js';
import { NOW, eventId } from '../../../../test/support/origin.js';
import {
  type AnsweredPart,
  type HolderAnswer,
  holderStates,
  receiptProblem,
} from './receipt-binding.js';

const [un, de, fr] = [memberOf('un'), memberOf('de'), memberOf('fr')];
const statement = { suite: SUITE, federation: 'test', origin: un, keyId: 'key' };
const [A, B] = [eventId(1), eventId(2)];

const entry: PurgeEntry = {
  ...{ ...statement, ...nextLink(EMPTY_HEAD), number: 5, timeMs: NOW, recipient: de },
  ...{ orderId: orderId(1), sealRecordHash: sha256(utf8('seal')), part: 1, parts: 1 },
  ...{ ids: [A, B], deadlineMs: asUnixMs(NOW + 1), sections: [], recipientsAll: true },
};
const appended = { entry, hash: sha256(utf8('entry')) };
const receipt: Receipt = {
  ...{ ...statement, ...nextLink(EMPTY_HEAD), number: 8, timeMs: NOW, holder: de },
  ...{ orderId: entry.orderId, entryNumber: 5, entryHash: appended.hash, stage: 'DELETED' },
  outcomes: [
    { id: A, outcome: 'DELETED' },
    { id: B, outcome: 'NOT_HELD' },
  ],
  ...{ holds: [], children: [], opened: null },
};
const open = {
  hash: sha256(utf8('open')),
  value: {
    ...{ ...receipt, number: 7, stage: 'OPEN' },
    outcomes: [
      { id: A, outcome: 'SYSTEMS_OPEN' },
      { id: B, outcome: 'NOT_HELD' },
    ],
  } satisfies Receipt,
};

describe('a receipt', () => {
  test('that answers every event of its entry fits, as the first and after an open one', () => {
    expect(receiptProblem(receipt, appended, undefined)).toBeUndefined();
    expect(receiptProblem(open.value, appended, undefined)).toBeUndefined();
    expect(receiptProblem({ ...receipt, opened: open.hash }, appended, open)).toBeUndefined();
  });

  // prettier-ignore
  test.each<[name: string, change: Partial<Receipt>, problem: RegExp]>([
    ['of another holder', { holder: fr }, /another member/],
    ['for another order', { orderId: orderId(2) }, /another order/],
    ['for the entry of another hash', { entryHash: sha256(utf8('other')) }, /is another one/],
    ['for an entry of another number', { entryNumber: 6 }, /is another one/],
    ['without an answer for one event', { outcomes: receipt.outcomes.slice(1), stage: 'NOT_HELD' }, /not exactly/],
    ['with one for a further event', { outcomes: [...receipt.outcomes, { id: eventId(3), outcome: 'DELETED' }] }, /not exactly/],
    ['whose stage is not its outcomes', { stage: 'NOT_HELD' }, /stage is not its outcomes/],
    ['that names an open one which was never sent', { opened: open.hash }, /open receipt is missing/],
  ])('%s does not fit', (_name, change, problem) => {
    expect(receiptProblem({ ...receipt, ...change }, appended, undefined)).toMatch(problem);
  });

  test('without an entry, or after an open one that it does not name, does not fit', () => {
    expect(receiptProblem(receipt, undefined, undefined)).toMatch(/^no entry 5 was made for de$/);
    expect(receiptProblem(receipt, appended, open)).toMatch(/does not follow the open one/);
  });
});

const answer = (stage: HolderAnswer['stage'], atMs = 10): HolderAnswer => ({
  ...{ stage, atMs, open: undefined },
});
const part = (change: Partial<AnsweredPart>): AnsweredPart => ({
  ...{ recipient: de, answer: undefined, remindedAtMs: 0, noticedAtMs: 0 },
  ...change,
});
const nothingOpen = { held: 0, reviewAtMs: 0, systemsOpen: 0, childrenOpen: 0 };

describe("a holder's state", () => {
  // prettier-ignore
  test.each<[name: string, parts: Partial<AnsweredPart>[], state: object]>([
    ['is appended before any answer', [{}], { state: 'APPENDED', answeredAtMs: 0 }],
    ['is appended while one part is not answered', [{ answer: answer('DELETED') }, {}], { state: 'APPENDED', answeredAtMs: 0 }],
    ['is defaulted once silence was signed', [{ noticedAtMs: 3 }], { state: 'DEFAULTED', noticedAtMs: 3 }],
    ['is not defaulted by the notice of a part that was answered after all', [{ noticedAtMs: 3, answer: answer('DELETED') }, {}], { state: 'APPENDED', noticedAtMs: 3 }],
    ['is deleted when anything was', [{ answer: answer('NOT_HELD', 10) }, { answer: answer('DELETED', 20) }], { state: 'DELETED', answeredAtMs: 20 }],
    ['is not held when nothing was', [{ answer: answer('NOT_HELD') }], { state: 'NOT_HELD', answeredAtMs: 10 }],
    ['is open when any part is', [{ answer: answer('DELETED') }, { answer: answer('OPEN') }], { state: 'OPEN', answeredAtMs: 10 }],
    ['tells of its last reminder and notice', [{ remindedAtMs: 4, noticedAtMs: 6 }, { remindedAtMs: 5 }], { state: 'DEFAULTED', remindedAtMs: 5, noticedAtMs: 6 }],
  ])('%s', (_name, parts, state) => {
    const usual = { member: de, remindedAtMs: 0, noticedAtMs: 0, answeredAtMs: 0, ...nothingOpen };
    expect(holderStates(parts.map(part))).toEqual([{ ...usual, ...state }]);
  });

  test('counts what is open by its reason, and the first ground to be looked at again', () => {
    const outcomes = (['HELD', 'HELD', 'SYSTEMS_OPEN', 'CHILDREN_OPEN', 'DELETED'] as const).map(
      (outcome, at) => ({ id: eventId(at), outcome }),
    );
    const holds = [9, 7].map((reviewAtMs) => ({
      ...{ id: A, ground: 'law', reference: 'x', reviewAtMs: asUnixMs(reviewAtMs) },
    }));
    const opened: HolderAnswer = {
      ...{ stage: 'OPEN', atMs: 1 },
      open: { outcomes, holds: holds as never },
    };
    expect(holderStates([part({ answer: opened }), part({ answer: answer('DELETED') })])).toEqual([
      expect.objectContaining({ held: 2, reviewAtMs: 7, systemsOpen: 1, childrenOpen: 1 }),
    ]);
  });

  test('stands once for each holder, and one holder never answers for another', () => {
    const states = holderStates([part({ answer: answer('DELETED') }), part({ recipient: fr })]);
    expect(states.map(({ member, state }) => [member, state])).toEqual([
      ['de', 'DELETED'],
      ['fr', 'APPENDED'],
    ]);
  });
});
