import { sha256, utf8 } from '@concordat/common/domain/bytes.js';
import { asUnixMs } from '@concordat/common/domain/ids.js';
import type { Certificate, DefaultNotice } from '@concordat/common/domain/records.js';
import { answeredHolders, entriesFor } from '../certificate.js';
import { TestHolder } from '../holder.js';
import { orderId, signAs } from '../ledger.js';
import { NOW } from '../origin.js';
import {
  type Forged,
  change,
  deHolder,
  frHolder,
  holderOf,
  inHolder,
  other,
  receiptOfFr,
  story,
  swap,
} from './edits.js';
import {
  A,
  B,
  C,
  DE,
  FR,
  GRANT,
  NL,
  type Saying,
  UN,
  Y,
  childX,
  deletedAfter,
  federation,
  heldBy,
  holdersSaying,
  noticeOf,
  tell,
  tellTree,
  withSilence,
} from './told.js';

const ANY_HASH = sha256(utf8('another statement'));

/** What of a default notice says which entry it is about. */
const OTHER_NOTICES: readonly (readonly [what: string, edit: Partial<DefaultNotice>])[] = [
  ['order', { orderId: orderId(502) }],
  ['epoch', { entryEpoch: 9 }],
  ['number', { entryNumber: 9 }],
  ['hash', { entryHash: ANY_HASH }],
  ['time', { entryTimeMs: asUnixMs(NOW - 1) }],
  ['deadline', { deadlineMs: asUnixMs(NOW + 1) }],
];

/** Forgeries of the holders, their entries and receipts, default notices and child certificates. */
export const FORGED_HOLDERS: readonly Forged[] = [
  // the holders
  [
    'without a holder',
    () => change({ holders: [deHolder] }),
    /: H2: holders: not exactly those in the ledger/,
  ],
  [
    'with a holder twice',
    () => change({ holders: [deHolder, deHolder] }),
    /: H2: a holder stands twice/,
  ],
  [
    'with another holder in the place of one',
    () => change({ holders: [deHolder, { ...frHolder, recipient: NL }] }),
    /: H2: holders: not exactly those in the ledger/,
  ],
  [
    'without an entry and its receipt',
    () =>
      inHolder('de', ({ entries, receipts, ...rest }) => ({
        ...rest,
        entries: entries.slice(1),
        receipts: receipts.slice(1),
      })),
    /: E5: de: an entry is missing/,
  ],
  [
    'without the last entry and its receipt',
    () =>
      inHolder('de', ({ entries, receipts, ...rest }) => ({
        ...rest,
        entries: entries.slice(0, -1),
        receipts: receipts.slice(0, -1),
      })),
    /: E5: de: an entry is missing/,
  ],
  [
    'without any entry',
    () => inHolder('fr', (holder) => ({ ...holder, entries: [], receipts: [] })),
    /: E7: fr: entries leave events out/,
  ],
  [
    'with an entry replayed',
    () =>
      inHolder('fr', ({ entries, receipts, ...rest }) => ({
        ...rest,
        entries: [...entries, ...entries],
        receipts: [...receipts, ...receipts],
      })),
    /: E5: fr: an entry is missing/,
  ],
  [
    'with an entry for another member',
    () => inHolder('fr', (holder) => ({ ...holder, entries: deHolder.entries.slice(1) })),
    /: E2: fr: an entry for another member/,
  ],
  [
    "with another order's entry",
    () => inHolder('fr', () => holderOf('fr', other)),
    /: E3: fr: another order's entry/,
  ],
  [
    'with an entry under another seal record',
    () =>
      inHolder('fr', (holder) => {
        const entries = entriesFor(
          federation,
          story.seal,
          { recipient: FR, ids: [A] },
          { sealRecordHash: other.seal.hash },
        );
        const fr = new TestHolder(federation, FR);
        return { ...holder, entries, receipts: entries.map((entry) => fr.answer(entry)) };
      }),
    /: E4: fr: an entry names another seal record/,
  ],
  [
    'with an entry about other events',
    () =>
      inHolder('fr', (holder) => {
        const entries = entriesFor(federation, story.seal, { recipient: FR, ids: [C] });
        const fr = new TestHolder(federation, FR);
        return { ...holder, entries, receipts: entries.map((entry) => fr.answer(entry)) };
      }),
    /: E7: fr: entries leave events out/,
  ],
  // the receipts
  [
    'with receipts swapped',
    () => inHolder('de', (holder) => ({ ...holder, receipts: swap(holder.receipts) })),
    /: R7: de: receipts in another order than the entries/,
  ],
  [
    'with the receipt of another holder',
    () => inHolder('fr', (holder) => ({ ...holder, receipts: deHolder.receipts.slice(1) })),
    /: R1: Receipt: SENDER_NOT_TOPIC_OWNER/,
  ],
  [
    'with the receipt for another order',
    () => inHolder('fr', (holder) => ({ ...holder, receipts: holderOf('fr', other).receipts })),
    /: R2: fr: a receipt for another entry/,
  ],
  [
    'with a receipt that names another order',
    () => receiptOfFr({ orderId: other.seal.value.orderId }),
    /: R2: fr: a receipt for another entry/,
  ],
  [
    'with a receipt that names another entry',
    () => receiptOfFr({ entryNumber: 2 }),
    /: R2: fr: a receipt for another entry/,
  ],
  [
    'with a receipt for other contents of its entry',
    () => receiptOfFr({ entryHash: other.seal.hash }),
    /: R2: fr: a receipt for another entry/,
  ],
  [
    'with a receipt to another origin',
    () => receiptOfFr({ origin: NL }),
    /: R2: fr: a receipt for another entry/,
  ],
  [
    'with a receipt that leaves an event out',
    () => receiptOfFr({ outcomes: [] }),
    /: R3: fr: a receipt leaves events out/,
  ],
  [
    'with a receipt whose stage is not its outcomes',
    () => receiptOfFr({ stage: 'NOT_HELD' }),
    /: R4: fr: a receipt: its stage is not its outcomes/,
  ],
  [
    'with a receipt that the origin signed itself',
    () =>
      inHolder('fr', (holder) => {
        const fr = new TestHolder(federation, FR);
        const { value } = fr.next(fr.readEntry(holder.entries[0] ?? new Uint8Array()));
        const by = { member: UN, role: 'node' } as const;
        return { ...holder, receipts: [signAs(federation, by, 'Receipt', value).bytes] };
      }),
    /: R1: Receipt: SENDER_NOT_TOPIC_OWNER/,
  ],
  // stages, holds and notices
  [
    'whose entry has another cover than its order',
    () =>
      inHolder('fr', (holder) => {
        const held = { recipient: FR, ids: [A] };
        return {
          ...holder,
          entries: entriesFor(federation, story.seal, held, { recipientsAll: false }),
        };
      }),
    /: E6: fr: an entry of another cover/,
  ],
  [
    'whose receipt goes back from deleted to held',
    () => saying([{ outcomes: () => 'DELETED' }, heldBy]),
    /: R8: de: a receipt's stage goes back/,
  ],
  [
    'with two final receipts for one entry',
    () => saying([{ outcomes: () => 'DELETED' }, { outcomes: () => 'NOT_HELD' }]),
    /: R8: de: a receipt's stage goes back/,
  ],
  [
    'with one receipt twice',
    () =>
      inHolder('fr', (holder) => ({
        ...holder,
        receipts: [...holder.receipts, ...holder.receipts],
      })),
    /: R8: fr: a receipt's stage goes back/,
  ],
  [
    'with three receipts for one entry',
    () => saying([heldBy, deletedAfter, deletedAfter]),
    /: R8: de: an entry is answered too often/,
  ],
  [
    'without the open receipt before the final one',
    () => {
      const { certificate } = tell({
        holders: (seal) => holdersSaying(seal, { de: [heldBy, deletedAfter] }),
      });
      const holders = certificate.holders.map((holder) =>
        holder.recipient === DE ? { ...holder, receipts: holder.receipts.slice(1) } : holder,
      );
      return { ...certificate, holders };
    },
    /: R8: de: an open receipt is missing/,
  ],
  [
    'whose final receipt does not name the open one',
    () => saying([heldBy, { outcomes: () => 'DELETED' }]),
    /: R8: de: a final receipt does not follow the open one/,
  ],
  [
    'whose open receipt names one before it',
    () => {
      const change: Saying[number]['change'] = (before) => ({
        ...heldBy.change?.(before),
        opened: ANY_HASH,
      });
      return saying([{ ...heldBy, change }, deletedAfter]);
    },
    /: R8: de: a receipt's stage goes back/,
  ],
  [
    'whose final receipt says that what was held by law was never there',
    () =>
      saying([heldBy, { ...deletedAfter, outcomes: (id) => (id === A ? 'NOT_HELD' : 'DELETED') }]),
    /: R9: de: a receipt changes more than what was open/,
  ],
  [
    'with a legal hold that says it is done',
    () => saying([{ ...heldBy, change: () => ({ stage: 'DELETED' }) }]),
    /: R4: de: a receipt: its stage is not its outcomes/,
  ],
  [
    'with a legal hold without a ground',
    () => saying([{ ...heldBy, change: () => ({}) }]),
    /: R5: de: a receipt: not a ground/,
  ],
  [
    'with a default notice of a holder that has answered',
    () =>
      inHolder('fr', (holder) => ({
        ...holder,
        notices: holder.entries.map((entry) => noticeOf(entry, FR)),
      })),
    /: N2: fr: a notice about no entry that is open/,
  ],
  [
    'with a default notice from before the deadline',
    () => withSilence((entry) => [noticeOf(entry, DE, { timeMs: NOW })]).certificate,
    /: N3: de: a notice from before the deadline/,
  ],
  [
    'with a default notice twice',
    () => withSilence((entry) => [noticeOf(entry, DE), noticeOf(entry, DE)]).certificate,
    /: N2: de: a notice about no entry that is open/,
  ],
  [
    "with a default notice about another holder's entry",
    () => withSilence((entry) => [noticeOf(entry, DE, { recipient: FR })]).certificate,
    /: N2: de: a notice about no entry that is open/,
  ],
  ...OTHER_NOTICES.map(([what, edit]): Forged => [
    `with a default notice that has another ${what} than its entry`,
    () => withSilence((entry) => [noticeOf(entry, DE, edit)]).certificate,
    /: N2: de: a notice about no entry that is open/,
  ]),
  [
    'with a default notice from the moment of the deadline',
    () =>
      withSilence((entry) => {
        const { deadlineMs } = new TestHolder(federation, DE).readEntry(entry).value;
        return [noticeOf(entry, DE, { timeMs: deadlineMs })];
      }).certificate,
    /: N3: de: a notice from before the deadline/,
  ],
  [
    'with an entry in the place of a default notice',
    () => withSilence((entry) => [entry]).certificate,
    /: N1: DefaultNotice: /,
  ],
  // derived events
  [
    'whose seal record permits to derive to who did not hold the parent',
    () =>
      tell({ seal: { grants: [{ ...GRANT, holder: FR, parent: C, childOrigin: FR }] } })
        .certificate,
    /: H3: seal record: a grant to who did not hold it/,
  ],
  [
    'with a child certificate that no receipt names',
    () => tellTree({ said: () => [childX()] }).certificate,
    /: K2: de: a child certificate that none names/,
  ],
  [
    'with a child certificate twice',
    () => tellTree({ children: ({ bytes }) => [bytes, bytes] }).certificate,
    /: K2: de: a child certificate that none names/,
  ],
  [
    'with a child certificate about another event',
    () =>
      tellTree({ child: { id: Y, seal: {}, holders: (seal) => answeredHolders(federation, seal) } })
        .certificate,
    /: K3: de: a child certificate about other events/,
  ],
  [
    "with a child's certificate of another order",
    () => tellTree({ child: { order: { orderId: orderId(601) } } }).certificate,
    /: K3: de: a child's certificate of another order/,
  ],
  [
    'with a child certificate about a part of the child',
    () =>
      tellTree({
        child: { order: { reason: 'error', cause: null, recipients: [FR] }, by: 'purge-officer' },
      }).certificate,
    /: K3: de: a child certificate about other events/,
  ],
  [
    'with a child order that cites another entry',
    () => tellTree({ child: { entryHash: story.seal.hash } }).certificate,
    /: K4: de: a child order that cites no entry of this order/,
  ],
  [
    'with a child order that cites parents which were not ordered back',
    () => tellTree({ child: { parents: [B] } }).certificate,
    /: K4: de: a child order that cites no entry of this order/,
  ],
  [
    "with a child's certificate that the parent's origin signed",
    () => tellTree({ children: () => [signedByUn()] }).certificate,
    /: K1: Certificate: SENDER_NOT_TOPIC_OWNER/,
  ],
  [
    'with a forged child certificate',
    () => tellTree({ child: { holders: () => [] } }).certificate,
    /: H2: holders: not exactly those in the ledger/,
  ],
  [
    'whose receipt lists children of somebody else',
    () => tellTree({ said: () => [childX({ origin: FR })], children: () => [] }).certificate,
    /: R6: de: a receipt: it lists children that are none/,
  ],
  [
    'whose receipt says that children are open, and not which',
    () => saying([{ outcomes: (id) => (id === A ? 'CHILDREN_OPEN' : 'DELETED') }]),
    /: R6: de: a receipt: it does not list the children that are open/,
  ],
];

/** de says this to its entry. */
function saying(said: Saying): Certificate {
  return tell({ holders: (seal) => holdersSaying(seal, { de: said }) }).certificate;
}

function signedByUn(): Uint8Array {
  const by = { member: UN, role: 'revocation' } as const;
  return signAs(federation, by, 'Certificate', story.certificate).bytes;
}
