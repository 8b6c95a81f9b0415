import { SlotTrees } from '@concordat/common/domain/slots.js';
import { EMPTY_HEAD, type Head, nextLink } from '@concordat/common/domain/chain.js';
import { toDsseJson } from '@concordat/common/domain/dsse-json.js';
import { type EventId, type Hash, type MemberId, asUnixMs } from '@concordat/common/domain/ids.js';
import type {
  Certificate,
  CertifiedHolder,
  PurgeEntry,
  SealHolder,
  SealRecord,
} from '@concordat/common/domain/records.js';
import {
  SUITE,
  type Verified,
  checkStatements,
  verifyStatement,
} from '@concordat/common/domain/statement.js';
import { buildCertificate } from '@concordat/revocation/domain/certificate-build.js';
import { draftEntries } from '@concordat/revocation/domain/entries.js';
import { type TestFederation, codec, memberOf } from './federation.js';
import { TestHolder } from './holder.js';
import { TestLedger, type TestSeal, officerOrder, orderId, signAs } from './ledger.js';
import { NOW, eventId } from './origin.js';

const UN = memberOf('un');
const DAY_MS = 86_400_000;

/** Entries of two events, so that three held events make two parts. */
const ENTRY_IDS_MAX = 2;

export interface Story {
  readonly certificate: Certificate;
  readonly seal: Verified<'SealRecord'>;
  readonly order: Uint8Array;
}

/**
 * The true end of an order: `un` published six events in two blocks, gave de three and fr one of those that it took back
 * and nl another one, and took back three, with orders before and after it on the same blocks.
 */
export function tellStory(federation: TestFederation, n = 1): Story {
  const ids = [1, 2, 3, 4, 5, 6].map((k) => eventId(10 * n + k)) as [
    EventId,
    EventId,
    EventId,
    EventId,
    EventId,
    EventId,
  ];
  const [a, b, c, d, e, f] = ids;
  const records: Uint8Array[] = [];
  const ledger = new TestLedger(federation, UN, (record) => records.push(record));
  ledger.publish({ id: a }, { id: b }, { id: c }, { id: d });
  ledger.publish({ id: e }, { id: f });
  ledger.release(memberOf('de'), a, c, e, b);
  ledger.release(memberOf('nl'), b);
  ledger.seal(officerOrder(federation, { orderId: orderId(100 * n), ids: [d] }));
  ledger.release(memberOf('fr'), a, f);
  const order = officerOrder(federation, { orderId: orderId(100 * n + 1), ids: [e, a, c] });
  const { sealRecord, evidence } = ledger.seal(order);
  ledger.seal(officerOrder(federation, { orderId: orderId(100 * n + 2), ids: [b] }));

  return certified(federation, records, order, { sealRecord, evidence });
}

/** What an origin makes of a node's answer, true or not; holders have answered. */
export function certified(
  federation: TestFederation,
  records: readonly Uint8Array[],
  order: Uint8Array,
  answer: TestSeal,
  more: {
    readonly origin?: MemberId;
    readonly approvals?: readonly Uint8Array[];
    readonly holders?: (seal: Verified<'SealRecord'>) => readonly CertifiedHolder[];
  } = {},
): Story {
  const { keys } = federation;
  const { origin = UN, approvals = [] } = more;
  const seal = verifyStatement(codec, keys, 'SealRecord', answer.sealRecord, { signer: origin });
  const evidence = codec.decode('SealEvidence', answer.evidence);
  if (!seal.ok) throw seal.error;
  if (!evidence.ok) throw evidence.error;
  const certificate = buildCertificate(codec, {
    trees: new SlotTrees(codec),
    statements: checkStatements(codec, keys),
    federation: keys.federation,
    origin,
    keyId: federation.signer(origin, 'revocation').keyId,
    timeMs: NOW,
    order,
    approvals,
    sealRecord: seal.value,
    evidence: evidence.value,
    ledgerOf: (block) => records.filter((record) => isAbout(record, block)),
    holders: more.holders?.(seal.value) ?? answeredHolders(federation, seal.value),
  });
  if (!certificate.ok) throw certificate.error;
  return { certificate: certificate.value, seal: seal.value, order };
}

function isAbout(record: Uint8Array, block: Hash): boolean {
  const read = codec.decode('LedgerRecord', record);
  const signed = read.ok ? codec.decode('Signed', read.value.statement) : read;
  const statement = signed.ok ? codec.decode('LedgerStatement', signed.value.payload) : signed;
  if (!statement.ok) throw statement.error;
  return Buffer.compare(statement.value.block.hash, block) === 0;
}

/** Entries for every holder of a seal record, and the receipts of all. */
export function answeredHolders(
  federation: TestFederation,
  seal: Verified<'SealRecord'>,
  holders: readonly SealHolder[] = seal.value.holders,
): CertifiedHolder[] {
  return holders.map(({ recipient, ids }) => {
    const holder = new TestHolder(federation, recipient);
    const entries = entriesFor(federation, seal, { recipient, ids });
    const receipts = entries.map((entry) => holder.answer(entry));
    return { recipient, entries, receipts, notices: [], children: [] };
  });
}

export function entriesFor(
  federation: TestFederation,
  seal: Verified<'SealRecord'>,
  holder: SealHolder,
  change: Partial<PurgeEntry> = {},
): Uint8Array[] {
  let head: Head = EMPTY_HEAD;
  return draftEntries([holder], ENTRY_IDS_MAX).map((draft) => {
    const link = nextLink(head);
    const { origin } = seal.value;
    const by = { member: origin, role: 'revocation' } as const;
    const { bytes, hash } = signAs(federation, by, 'PurgeEntry', {
      suite: SUITE,
      federation: federation.keys.federation,
      origin,
      keyId: '',
      ...link,
      timeMs: NOW,
      orderId: seal.value.orderId,
      sealRecordHash: seal.hash,
      deadlineMs: asUnixMs(NOW + DAY_MS),
      sections: seal.value.sections,
      recipientsAll: seal.value.recipients.length === 0,
      ...draft,
      ...change,
    });
    head = { epoch: 1, number: link.number, hash };
    return bytes;
  });
}

/** Signs the seal record again, changed, as a node that lies would. */
export function resealed(
  federation: TestFederation,
  seal: Verified<'SealRecord'>,
  change: Partial<SealRecord>,
): Verified<'SealRecord'> {
  const value = { ...seal.value, ...change };
  return signAs(federation, { member: UN, role: 'node' }, 'SealRecord', value);
}

/** The file that people get. @param by who signs; only the origin's revocation service may */
export function certificateFile(
  federation: TestFederation,
  certificate: Certificate,
  by: Parameters<typeof signAs>[1] = { member: UN, role: 'revocation' },
): string {
  const signed = codec.decode('Signed', signAs(federation, by, 'Certificate', certificate).bytes);
  if (!signed.ok) throw signed.error;
  return toDsseJson(signed.value);
}
