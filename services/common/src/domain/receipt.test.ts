import { describe, expect, test } from '@jest/globals';
import { federation } from '../../../../test/support/certificates/told.js';
import { codec, memberOf } from '../../../../test/support/federation.js';
import { orderId, signAs } from '../../../../test/support/ledger.js';
import { NOW, eventId } from '../../../../test/support/origin.js';
import { sha256, utf8 } from './bytes.js';
import { EMPTY_HEAD, nextLink } from './chain.js';
import { toDsseJson } from './dsse-json.js';
import { type EventId, type MemberId, asUnixMs } from './ids.js';
import {
  answers,
  answersAll,
  finalProblem,
  firstProblem,
  receiptProblem,
  verifyReceipt,
} from './receipt.js';
import type { LegalHold, PurgeEntry, PurgeOutcome, Receipt, ReceiptChild } from './records.js';
import { SUITE } from './statement.js';

const [un, de, fr] = [memberOf('un'), memberOf('de'), memberOf('fr')];
const [A, B, C, X, Y] = [1, 2, 3, 71, 72].map((n) => eventId(n)) as [
  EventId,
  EventId,
  EventId,
  EventId,
  EventId,
];
const statement = { suite: SUITE, federation: 'test', origin: un, keyId: '' };
const hashOf = (what: string) => sha256(utf8(what));

const entry: PurgeEntry = {
  ...{ ...statement, ...nextLink(EMPTY_HEAD), number: 5, timeMs: NOW, recipient: de },
  ...{ orderId: orderId(1), sealRecordHash: hashOf('seal'), part: 1, parts: 1 },
  ...{ ids: [A, B], deadlineMs: asUnixMs(NOW + 1), sections: [], recipientsAll: true },
};
const base: Receipt = {
  ...{ ...statement, ...nextLink(EMPTY_HEAD), number: 8, timeMs: NOW, holder: de },
  ...{ orderId: entry.orderId, entryNumber: 5, entryHash: hashOf('entry'), stage: 'DELETED' },
  ...{ outcomes: [], holds: [], children: [], opened: null },
};

/** What a holder says of A, B, C, in this order, and the rest of its receipt. */
function said(outcomes: readonly PurgeOutcome[], more: Partial<Receipt> = {}): Receipt {
  const isOpen = outcomes.some((one) => one !== 'DELETED' && one !== 'NOT_HELD');
  const isGone = outcomes.includes('DELETED');
  return {
    ...base,
    stage: isOpen ? 'OPEN' : isGone ? 'DELETED' : 'NOT_HELD',
    outcomes: outcomes.map((outcome, at) => ({ id: [A, B, C][at] ?? A, outcome })),
    ...more,
  };
}

const hold = (id: EventId): LegalHold => ({
  ...{ id, ground: 'criminal proceedings', authority: 'Amtsgericht Musterstadt' },
  reviewAtMs: asUnixMs(NOW + 1),
});
const child = (parent: EventId, id: EventId, origin: MemberId = de): ReceiptChild => ({
  ...{ parent, origin, id, orderId: null, certificateHash: null },
});

describe('a receipt by itself', () => {
  // the rules are those of docs/certificate.md
  test.each<[what: string, receipt: Receipt, rule: string | undefined]>([
    ['that all was deleted', said(['DELETED', 'DELETED']), undefined],
    ['that some was never held', said(['NOT_HELD', 'DELETED']), undefined],
    ['that nothing was held', said(['NOT_HELD', 'NOT_HELD']), undefined],
    ['that a copy system is open', said(['SYSTEMS_OPEN', 'DELETED']), undefined],
    ['of a hold, with its ground', said(['HELD', 'DELETED'], { holds: [hold(A)] }), undefined],
    ['of two holds', said(['HELD', 'HELD'], { holds: [hold(B), hold(A)] }), undefined],
    ['of an open child', said(['CHILDREN_OPEN'], { children: [child(A, X)] }), undefined],
    [
      'of two children of one event',
      said(['CHILDREN_OPEN'], { children: [child(A, X), child(A, Y)] }),
      undefined,
    ],
    [
      'of one child of two events',
      said(['CHILDREN_OPEN', 'DELETED'], { children: [child(A, X), child(B, X)] }),
      undefined,
    ],
    ['of children that are purged', said(['DELETED'], { children: [child(A, X)] }), undefined],
    [
      'of an event twice',
      said(['DELETED', 'DELETED'], {
        outcomes: [
          { id: A, outcome: 'DELETED' },
          { id: A, outcome: 'DELETED' },
        ],
      }),
      'R3',
    ],
    ['deleted, which is open', said(['SYSTEMS_OPEN'], { stage: 'DELETED' }), 'R4'],
    ['open, which is deleted', said(['DELETED'], { stage: 'OPEN' }), 'R4'],
    ['deleted, which was never held', said(['NOT_HELD'], { stage: 'DELETED' }), 'R4'],
    ['never held, which is deleted', said(['DELETED', 'NOT_HELD'], { stage: 'NOT_HELD' }), 'R4'],
    ['of a hold without a ground', said(['HELD']), 'R5'],
    ['of two holds with one ground', said(['HELD', 'HELD'], { holds: [hold(A)] }), 'R5'],
    [
      'of two holds with one ground twice',
      said(['HELD', 'HELD'], { holds: [hold(A), hold(A)] }),
      'R5',
    ],
    ['of one hold with one ground twice', said(['HELD'], { holds: [hold(A), hold(A)] }), 'R5'],
    ['of a ground for what is deleted', said(['DELETED'], { holds: [hold(A)] }), 'R5'],
    ['of a ground too many', said(['HELD', 'DELETED'], { holds: [hold(A), hold(B)] }), 'R5'],
    ['of another event’s ground', said(['HELD', 'DELETED'], { holds: [hold(B)] }), 'R5'],
    ['of an open child that is not listed', said(['CHILDREN_OPEN']), 'R6'],
    [
      'of an open child of another event',
      said(['CHILDREN_OPEN', 'DELETED'], { children: [child(B, X)] }),
      'R6',
    ],
    ['of a child of what was not asked', said(['DELETED'], { children: [child(C, X)] }), 'R6'],
    ['of another member’s child', said(['DELETED'], { children: [child(A, X, fr)] }), 'R6'],
    ['of a child twice', said(['DELETED'], { children: [child(A, X), child(A, X)] }), 'R6'],
  ])('%s: %#', (_what, receipt, rule) => {
    expect(receiptProblem(receipt)?.[0]).toBe(rule);
  });

  test('is the first one if it follows none', () => {
    expect(firstProblem(said(['DELETED']))).toBeUndefined();
    expect(firstProblem(said(['DELETED'], { opened: hashOf('open') }))?.[0]).toBe('R8');
  });
});

describe('a final receipt', () => {
  const value = said(['HELD', 'NOT_HELD', 'DELETED'], {
    number: 7,
    holds: [hold(A)],
    children: [child(C, X)],
  });
  const open = { value, hash: hashOf('open') };
  const done: Partial<Receipt> = { opened: open.hash, children: [child(C, X)] };
  const after = (outcomes: readonly PurgeOutcome[], more: Partial<Receipt> = {}) =>
    finalProblem(open, said(outcomes, { ...done, ...more }))?.[0];

  test('moves what was open to deleted, and nothing else', () => {
    const all: readonly PurgeOutcome[] = ['DELETED', 'NOT_HELD'];
    for (const a of all) {
      for (const b of all) {
        for (const c of all) {
          const isMove = a === 'DELETED' && b === 'NOT_HELD' && c === 'DELETED';
          expect([a, b, c, after([a, b, c])]).toEqual([a, b, c, isMove ? undefined : 'R9']);
        }
      }
    }
  });

  test.each<PurgeOutcome>(['HELD', 'SYSTEMS_OPEN', 'CHILDREN_OPEN'])(
    'closes what was %s',
    (was) => {
      const first = { value: said([was], { number: 7 }), hash: open.hash };
      const problem = finalProblem(first, said(['DELETED'], { opened: open.hash }));
      expect(problem).toBeUndefined();
      expect(finalProblem(first, said(['NOT_HELD'], { opened: open.hash }))?.[0]).toBe('R9');
    },
  );

  const closed: readonly PurgeOutcome[] = ['DELETED', 'NOT_HELD', 'DELETED'];
  test.each<[what: string, change: Partial<Receipt>, rule: string | undefined]>([
    ['lists a child more', { children: [child(C, X), child(C, Y)] }, undefined],
    ['has any later number', { number: 80 }, undefined],
    ['drops a child', { children: [] }, 'R9'],
    ['has the child of another event', { children: [child(A, X)] }, 'R9'],
    ['speaks of another event', { outcomes: [{ id: X, outcome: 'DELETED' }] }, 'R9'],
    ['names no open one', { opened: null }, 'R8'],
    ['names another open one', { opened: hashOf('other') }, 'R8'],
    ['is of another epoch', { epoch: base.epoch + 1 }, 'R8'],
    ['has the same number', { number: 7 }, 'R8'],
    ['comes before', { number: 6 }, 'R8'],
    ['is open still', { stage: 'OPEN' }, 'R8'],
  ])('that %s: %#', (_what, change, rule) => {
    expect(after(closed, change)).toBe(rule);
  });

  test('follows no final one', () => {
    const first = { value: said(['DELETED'], { number: 7 }), hash: open.hash };
    expect(finalProblem(first, said(['DELETED'], { opened: open.hash }))?.[0]).toBe('R8');
  });
});

describe('the entry that a receipt answers', () => {
  const asked = { value: entry, hash: hashOf('entry') };

  test.each<[what: string, change: Partial<Receipt>]>([
    ['origin', { origin: fr }],
    ['order', { orderId: orderId(2) }],
    ['number', { entryNumber: 6 }],
    ['hash', { entryHash: hashOf('other') }],
  ])('is told by its %s too', (_what, change) => {
    expect(answers(base, asked)).toBe(true);
    expect(answers({ ...base, ...change }, asked)).toBe(false);
  });

  test('has an outcome for each of its events, in any order, and for no other', () => {
    const two = said(['DELETED', 'NOT_HELD']);
    expect(answersAll(two, { ids: [B, A] })).toBe(true);
    expect(answersAll(two, { ids: [A] })).toBe(false);
    expect(answersAll(two, { ids: [A, B, C] })).toBe(false);
    expect(answersAll(two, { ids: [A, C] })).toBe(false);
  });
});

describe('a file with a receipt', () => {
  const fileOf = (bytes: Uint8Array): string => {
    const signed = codec.decode('Signed', bytes);
    if (!signed.ok) throw signed.error;
    return toDsseJson(signed.value);
  };
  const signedEntry = signAs(federation, { member: un, role: 'revocation' }, 'PurgeEntry', entry);
  const entryFile = fileOf(signedEntry.bytes);
  const written = (more: Partial<Receipt> = {}, by = de) => {
    const value = said(['DELETED', 'NOT_HELD'], { entryHash: signedEntry.hash, ...more });
    return fileOf(signAs(federation, { member: by, role: 'node' }, 'Receipt', value).bytes);
  };
  const verdict = (receipt: string, of: string | undefined): string => {
    const read = verifyReceipt(codec, federation.keys, { receipt, entry: of });
    return read.ok ? `of ${read.value.holder}` : `${read.error.code}: ${read.error.message}`;
  };

  test('is read by itself, and with its entry', () => {
    expect(verdict(written(), undefined)).toBe('of de');
    expect(verdict(written(), entryFile)).toBe('of de');
  });

  test.each<[what: string, made: () => [receipt: string, entry: string | undefined], why: RegExp]>([
    ['of no JSON', () => ['', undefined], /^RECEIPT_INVALID: /],
    [
      'that contradicts itself',
      () => [written({ stage: 'OPEN' }), undefined],
      /: its stage is not its outcomes$/,
    ],
    ['with an entry of no JSON', () => [written(), ''], /^RECEIPT_INVALID: entry: /],
    ['with itself as its entry', () => [written(), written()], /^RECEIPT_INVALID: entry: /],
    [
      'for another entry',
      () => [written({ entryNumber: 6 }), entryFile],
      /expected a receipt for this entry/,
    ],
    [
      'of another member',
      () => [written({ holder: fr }, fr), entryFile],
      /expected a receipt for this entry/,
    ],
    [
      'that leaves an event out',
      () => [written({ outcomes: [{ id: A, outcome: 'DELETED' }] }), entryFile],
      /expected an outcome for each/,
    ],
  ])('%s is refused', (_what, made, why) => {
    expect(verdict(...made())).toMatch(why);
    expect(verdict(...made())).toMatch(/^RECEIPT_INVALID: /);
  });
});
