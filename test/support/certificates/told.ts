import { type EventId, type Hash, type MemberId, asUnixMs } from '@concordat/common/domain/ids.js';
import type {
  Certificate,
  CertifiedHolder,
  PurgeOrder,
  PurgeOutcome,
  Receipt,
  ReceiptChild,
} from '@concordat/common/domain/records.js';
import { SUITE, type Verified, verifyStatement } from '@concordat/common/domain/statement.js';
import {
  type Story,
  answeredHolders,
  certificateFile,
  certified,
  entriesFor,
  tellStory,
} from '../certificate.js';
import { type TestFederation, codec, memberOf, testFederation } from '../federation.js';
import { TestHolder } from '../holder.js';
import { DAY_MS, TestLedger, officerApproval, officerOrder, orderId, signAs } from '../ledger.js';
import { NOW, eventId } from '../origin.js';

export const UN = memberOf('un');
export const DE = memberOf('de');
export const FR = memberOf('fr');
export const NL = memberOf('nl');
export const federation: TestFederation = testFederation([UN, DE, FR, NL]);

/** Two events of one block, A given to de and fr, C to de; B and D are nobody's business. */
export const [A, B, C, D] = [11, 12, 13, 14].map((n) => eventId(n)) as [
  EventId,
  EventId,
  EventId,
  EventId,
];
/** What de derived from A, and fr from that. */
export const [X, Y] = [eventId(71), eventId(81)];
export const ORDER = orderId(500);

export interface Telling {
  readonly order?: Partial<PurgeOrder>;
  readonly by?: Parameters<typeof signAs>[1];
  /** after the releases of A and C, before the order */
  readonly before?: (ledger: TestLedger) => void;
  readonly seal?: Parameters<TestLedger['seal']>[1];
  readonly approvals?: (order: Uint8Array) => readonly Verified<'PurgeApproval'>[];
  readonly holders?: (seal: Verified<'SealRecord'>) => readonly CertifiedHolder[];
}

/** A true story of an order about A and C, told as far as `telling` does not say otherwise. */
export function tell(telling: Telling = {}): Story {
  const records: Uint8Array[] = [];
  const ledger = new TestLedger(federation, UN, (record) => records.push(record));
  ledger.publish({ id: A }, { id: B }, { id: C }, { id: D });
  ledger.release(DE, A, C);
  ledger.releaseSections(FR, ['identity'], A);
  telling.before?.(ledger);
  const order = officerOrder(
    federation,
    { orderId: ORDER, ids: [A, C], ...telling.order },
    telling.by,
  );
  const approvals = telling.approvals?.(order) ?? [];
  const answer = ledger.seal(order, {
    approvals: approvals.map(({ hash }) => hash),
    ...telling.seal,
  });
  return certified(federation, records, order, answer, {
    approvals: approvals.map(({ bytes }) => bytes),
    ...(telling.holders && { holders: telling.holders }),
  });
}

/** The second officer's approval, as it stands in the seal record. */
export function approvalOf(
  order: Uint8Array,
  ...more: Parameters<typeof officerApproval> extends [unknown, unknown, ...infer Rest]
    ? Rest
    : never
): Verified<'PurgeApproval'> {
  const bytes = officerApproval(federation, order, ...more);
  const read = verifyStatement(codec, federation.keys, 'PurgeApproval', bytes, { signer: UN });
  if (!read.ok) throw read.error;
  return read.value;
}

/** What a holder says to its entries, one receipt after the other for each. */
export type Saying = readonly {
  readonly outcomes: (id: EventId) => PurgeOutcome;
  readonly change?: (before: Verified<'Receipt'> | undefined) => Partial<Receipt>;
}[];

/** The holders of a seal record; those that are not named in `sayings` answer DELETED at once. */
export function holdersSaying(
  seal: Verified<'SealRecord'>,
  sayings: Readonly<Record<string, Saying>>,
): CertifiedHolder[] {
  return answeredHolders(federation, seal).map((holder) => {
    const saying = sayings[holder.recipient];
    if (!saying) return holder;
    const writer = new TestHolder(federation, holder.recipient);
    const receipts = holder.entries.flatMap((bytes) => {
      const entry = writer.readEntry(bytes);
      let before: Verified<'Receipt'> | undefined;
      return saying.map(({ outcomes, change }) => {
        const said = entry.value.ids.map((id) => ({ id, outcome: outcomes(id) }));
        before = writer.next(entry, { outcomes: said, change: change?.(before) ?? {} });
        return before.bytes;
      });
    });
    return { ...holder, receipts };
  });
}

/** Held by law first, deleted later. */
export const heldBy: Saying[number] = {
  outcomes: (id) => (id === A ? 'HELD' : 'DELETED'),
  change: () => ({
    holds: [
      {
        id: A,
        ground: 'criminal proceedings',
        authority: 'Amtsgericht Musterstadt',
        reviewAtMs: asUnixMs(NOW + 90 * DAY_MS),
      },
    ],
  }),
};
export const deletedAfter: Saying[number] = {
  outcomes: () => 'DELETED',
  change: (before) => ({ opened: before?.hash ?? null }),
};

/** The origin's word that this holder was silent. */
export function noticeOf(
  entryBytes: Uint8Array,
  recipient: MemberId,
  change: Partial<Verified<'DefaultNotice'>['value']> = {},
): Uint8Array {
  const { value, hash } = new TestHolder(federation, recipient).readEntry(entryBytes);
  return signAs(federation, { member: UN, role: 'revocation' }, 'DefaultNotice', {
    ...{ suite: SUITE, federation: 'test', origin: UN, keyId: '', recipient },
    timeMs: asUnixMs(value.deadlineMs + 1),
    ...{ orderId: value.orderId, entryEpoch: value.epoch, entryNumber: value.number },
    ...{ entryHash: hash, entryTimeMs: value.timeMs, deadlineMs: value.deadlineMs },
    ...change,
  }).bytes;
}

/** de has not answered; `notices` of the origin say so, or nobody does. */
export function withSilence(notices: (entry: Uint8Array) => readonly Uint8Array[]): Story {
  return tell({
    holders: (seal) =>
      answeredHolders(federation, seal).map((holder) =>
        holder.recipient === DE
          ? { ...holder, receipts: [], notices: holder.entries.flatMap(notices) }
          : holder,
      ),
  });
}

export const GRANT = { holder: DE, parent: A, childOrigin: DE, child: X };

/** What de's receipts list of X. */
export function childX(change: Partial<ReceiptChild> = {}): ReceiptChild {
  return { parent: A, origin: DE, id: X, orderId: null, certificateHash: null, ...change };
}

export interface ChildTelling {
  readonly origin: MemberId;
  readonly id: EventId;
  readonly receiver: MemberId;
  /** the entry that obliges, and its parents */
  readonly entry: Verified<'PurgeEntry'>;
  readonly parents: readonly EventId[];
  readonly order?: Partial<PurgeOrder>;
  readonly by?: 'purge-officer';
  /** what the order cites in the place of the entry's hash */
  readonly entryHash?: Hash;
  readonly seal?: Parameters<TestLedger['seal']>[1];
  readonly holders?: (seal: Verified<'SealRecord'>) => readonly CertifiedHolder[];
}

export const CHILD_ORDER = orderId(600);

/** A holder's own certificate of what it derived and gave to one member. */
export function childCertificate(telling: ChildTelling): Verified<'Certificate'> {
  const { origin, id, receiver, entry, parents } = telling;
  const records: Uint8Array[] = [];
  const ledger = new TestLedger(federation, origin, (record) => records.push(record));
  ledger.publish({ id });
  ledger.release(receiver, id);
  const order = officerOrder(
    federation,
    {
      ...{ origin, orderId: CHILD_ORDER, ids: [id], reason: 'parent_purged' },
      cause: {
        ...{ origin: entry.value.origin, orderId: entry.value.orderId },
        ...{ entryHash: telling.entryHash ?? entry.hash, parents },
      },
      ...telling.order,
    },
    { member: origin, role: telling.by ?? 'revocation' },
  );
  const answer = ledger.seal(order, telling.seal);
  const { certificate } = certified(federation, records, order, answer, {
    origin,
    ...(telling.holders && { holders: telling.holders }),
  });
  return signAs(federation, { member: origin, role: 'revocation' }, 'Certificate', certificate);
}

/**
 * un's A went to de, which derived X and gave it to fr, which derived Y and gave it to nl: a tree of three certificates.
 *
 * @param edit changes de in un's certificate
 */
export function tellTree(
  how: {
    readonly isYAnswered?: boolean;
    readonly child?: Partial<ChildTelling>;
    readonly said?: (child: Verified<'Certificate'>) => readonly ReceiptChild[];
    readonly children?: (child: Verified<'Certificate'>) => readonly Uint8Array[];
  } = {},
): Story {
  return tell({
    seal: { grants: [GRANT] },
    holders: (seal) => {
      const [bytes = new Uint8Array()] = entriesFor(federation, seal, {
        recipient: DE,
        ids: [A, C],
      });
      const entry = new TestHolder(federation, DE).readEntry(bytes);
      const child = childCertificate({
        ...{ origin: DE, id: X, receiver: FR, entry, parents: [A] },
        seal: { grants: [{ holder: FR, parent: X, childOrigin: FR, child: Y }] },
        holders: (childSeal) => withY(childSeal, how.isYAnswered ?? true),
        ...how.child,
      });
      const said = how.said?.(child) ?? [
        childX({ orderId: CHILD_ORDER, certificateHash: child.hash }),
      ];
      const saying: Saying = [{ outcomes: () => 'DELETED', change: () => ({ children: said }) }];
      const children = how.children?.(child) ?? [child.bytes];
      return holdersSaying(seal, { de: saying }).map((holder) =>
        holder.recipient === DE ? { ...holder, children } : holder,
      );
    },
  });
}

/** fr answers for X, and shows what became of Y. */
function withY(seal: Verified<'SealRecord'>, isAnswered: boolean): readonly CertifiedHolder[] {
  const [bytes = new Uint8Array()] = entriesFor(federation, seal, { recipient: FR, ids: [X] });
  const entry = new TestHolder(federation, FR).readEntry(bytes);
  const child = childCertificate({
    ...{ origin: FR, id: Y, receiver: NL, entry, parents: [X] },
    ...(!isAnswered && {
      holders: (mine: Verified<'SealRecord'>) =>
        answeredHolders(federation, mine).map((holder) => ({ ...holder, receipts: [] })),
    }),
  });
  const certificateHash = child.hash;
  const said = { parent: X, origin: FR, id: Y, orderId: CHILD_ORDER, certificateHash };
  const saying: Saying = [{ outcomes: () => 'DELETED', change: () => ({ children: [said] }) }];
  return holdersSaying(seal, { fr: saying }).map((holder) => ({
    ...holder,
    children: [child.bytes],
  }));
}

/** What a certificate says, in one line: it is compared with what another program makes of the same file. */
export type Verdict = 'complete' | `incomplete: ${string}`;

const byRule = { member: UN, role: 'revocation' } as const;

export const TRUE_CERTIFICATES: readonly (readonly [
  what: string,
  certificate: () => Certificate,
  verdict: Verdict,
])[] = [
  ['that everybody answered', () => tellStory(federation).certificate, 'complete'],
  [
    'of an order that another person approved',
    () => tell({ approvals: (order) => [approvalOf(order)] }).certificate,
    'complete',
  ],
  [
    'of an order by rule',
    () => tell({ order: { reason: 'retention' }, by: byRule }).certificate,
    'complete',
  ],
  ['about events that nobody held', () => tell({ order: { ids: [B, D] } }).certificate, 'complete'],
  [
    'about one recipient only',
    () => tell({ order: { recipients: [DE], reason: 'partner_withdrawn' } }).certificate,
    'complete',
  ],
  [
    'about one section only',
    () => tell({ order: { sections: ['remarks'] } }).certificate,
    'complete',
  ],
  [
    'about two recipients, after a narrower order and a release to somebody else',
    () =>
      tell({
        order: { recipients: [DE, NL] },
        before: (ledger) => {
          const narrower = { orderId: orderId(501), ids: [C, B], recipients: [DE] };
          ledger.seal(officerOrder(federation, { ...narrower, sections: ['remarks'] }));
          ledger.release(NL, C);
        },
      }).certificate,
    'complete',
  ],
  [
    'that a holder did not hold it any more',
    () =>
      tell({ holders: (seal) => holdersSaying(seal, { de: [{ outcomes: () => 'NOT_HELD' }] }) })
        .certificate,
    'complete',
  ],
  [
    'with a legal hold that ended',
    () =>
      tell({ holders: (seal) => holdersSaying(seal, { de: [heldBy, deletedAfter] }) }).certificate,
    'complete',
  ],
  ['with derived events over three members', () => tellTree().certificate, 'complete'],
  [
    'with a permission to derive that nobody used',
    () => tellTree({ said: () => [childX()], children: () => [] }).certificate,
    'complete',
  ],
  [
    'with a holder that has not answered',
    () => withSilence(() => []).certificate,
    'incomplete: de 1 silent',
  ],
  [
    'with a default notice',
    () => withSilence((entry) => [noticeOf(entry, DE)]).certificate,
    'incomplete: de 1 silent',
  ],
  [
    'with a legal hold',
    () => tell({ holders: (seal) => holdersSaying(seal, { de: [heldBy] }) }).certificate,
    'incomplete: de 1 held',
  ],
  [
    'with a legal hold of one event, where the other was never held',
    () => {
      const said: Saying[number] = {
        ...heldBy,
        outcomes: (id) => (id === A ? 'HELD' : 'NOT_HELD'),
      };
      return tell({ holders: (seal) => holdersSaying(seal, { de: [said] }) }).certificate;
    },
    'incomplete: de 1 held',
  ],
  [
    'with copy systems that have not answered',
    () =>
      tell({
        holders: (seal) => holdersSaying(seal, { fr: [{ outcomes: () => 'SYSTEMS_OPEN' }] }),
      }).certificate,
    'incomplete: fr 1 systems',
  ],
  [
    'with a derived event that is not purged yet',
    () =>
      tell({
        seal: { grants: [GRANT] },
        holders: (seal) =>
          holdersSaying(seal, {
            de: [
              {
                outcomes: (id) => (id === A ? 'CHILDREN_OPEN' : 'DELETED'),
                change: () => ({ children: [childX()] }),
              },
            ],
          }),
      }).certificate,
    'incomplete: de 1 children',
  ],
  [
    'whose derived events’ certificate is incomplete',
    () => tellTree({ isYAnswered: false }).certificate,
    'incomplete: de 1 children',
  ],
  [
    'without a derived event’s certificate',
    () => tellTree({ children: () => [] }).certificate,
    'incomplete: de 1 children',
  ],
  [
    'whose holder says nothing of what it was permitted to derive',
    () => tellTree({ said: () => [], children: () => [] }).certificate,
    'incomplete: de 1 children',
  ],
];

export function fileOf(certificate: Certificate | string): string {
  return typeof certificate === 'string' ? certificate : certificateFile(federation, certificate);
}
