import type { Custody } from './agreement.js';
import type { ConcordatError } from './errors.js';
import type { EventId, Hash, MemberId, OrderId, UnixMs } from './ids.js';
import type { Result } from './result.js';

/**
 * The shapes of `schemas/*.avsc` in the version that is written, as decoded. Field meanings stand in the schemas.
 * `bytes` fields that hold a signed statement hold the single-object encoding of `Signed`.
 */
export interface Signed {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly keyId: string;
  readonly signature: Uint8Array;
}

interface Statement {
  readonly suite: string;
  readonly federation: string;
  readonly origin: MemberId;
  readonly keyId: string;
}

interface Chained {
  readonly epoch: number;
  readonly number: number;
  readonly previous: Hash;
  readonly timeMs: UnixMs;
}

export interface Handling {
  readonly tlp: 'CLEAR' | 'GREEN' | 'AMBER' | 'AMBER_STRICT' | 'RED';
  readonly europol: 'H0' | 'H1' | 'H2' | 'H3';
  readonly source: 'A' | 'B' | 'C' | 'X';
  readonly information: number;
}

export interface HeaderSection {
  readonly name: string;
  readonly ciphertextHash: Hash;
  readonly keyCommitment: Hash;
}

export interface Header {
  readonly version: number;
  readonly origin: MemberId;
  readonly id: EventId;
  readonly category: string;
  readonly schemaHash: Hash;
  readonly collectedAtMs: UnixMs;
  readonly retainUntilMs: UnixMs;
  readonly purposes: readonly string[];
  readonly legalBasis: string;
  readonly handling: Handling;
  readonly supersedes: EventId | null;
  readonly sections: readonly HeaderSection[];
  readonly audience: Hash;
  readonly derivedFrom: Hash;
}

export interface Audience {
  readonly byAgreement: boolean;
  readonly members: readonly MemberId[];
}

export interface DerivedFrom {
  readonly parents: readonly { readonly origin: MemberId; readonly id: EventId }[];
}

export interface BlockStatement extends Statement, Chained {
  readonly lane: number;
  readonly treeSize: number;
  readonly root: Hash;
}

export interface Opening {
  readonly salt: Hash;
  readonly value: Uint8Array;
}

export interface SealedSection {
  readonly name: string;
  readonly sealed: Uint8Array;
}

export interface Envelope {
  readonly header: Uint8Array;
  readonly audience: Opening | null;
  readonly derivedFrom: Opening | null;
  readonly sections: readonly SealedSection[];
}

export interface Block {
  readonly statement: Uint8Array;
  readonly envelopes: readonly Envelope[];
}

export interface BlockRef {
  readonly lane: number;
  readonly epoch: number;
  readonly number: number;
  readonly hash: Hash;
}

export interface Release {
  readonly id: EventId;
  readonly headerHash: Hash;
  readonly block: BlockRef;
  readonly leaf: number;
  readonly agreementId: string;
  readonly agreementVersion: number;
  readonly consentId: string;
  readonly sections: readonly string[];
  readonly purposes: readonly string[];
  readonly deleteByMs: UnixMs;
  readonly onward: boolean;
  readonly custody: Custody;
}

export interface FeedStatement extends Statement, Chained {
  readonly recipient: MemberId;
  readonly lane: number;
  readonly releases: readonly Release[];
}

export interface FeedEnvelope {
  readonly leaf: number;
  readonly header: Uint8Array;
  readonly sections: readonly SealedSection[];
}

export interface PartialBlock {
  readonly statement: Uint8Array;
  readonly envelopes: readonly FeedEnvelope[];
  readonly proof: readonly Hash[];
}

export interface FeedBlock {
  readonly statement: Uint8Array;
  readonly blocks: readonly PartialBlock[];
}

export type LedgerKind = 'PUBLICATION' | 'RELEASE' | 'SEAL';

export interface LedgerStatement extends Statement, Chained {
  readonly block: BlockRef;
  readonly blockNumber: number;
  readonly blockPrevious: Hash;
  readonly kind: LedgerKind;
  readonly treeSize: number;
  readonly root: Hash;
}

export interface PublicationRow {
  readonly id: EventId;
  readonly headerHash: Hash;
  readonly category: string;
  readonly retainUntilMs: UnixMs;
  readonly supersedes: EventId | null;
}

export interface PublicationTable {
  readonly rows: readonly PublicationRow[];
}

export interface SlotLeaf {
  readonly leaf: number;
  readonly sections: readonly string[];
}

export interface SlotTable {
  readonly seed: Uint8Array;
  readonly kind: 'RELEASE' | 'SEAL';
  readonly recipient: MemberId | '';
  readonly orderId: OrderId | null;
  readonly leaves: readonly SlotLeaf[];
}

export interface SealTable {
  readonly seed: Uint8Array;
  readonly leaves: readonly { readonly leaf: number; readonly orderId: OrderId }[];
}

export interface Slot {
  readonly salt: Uint8Array;
  readonly leaf: number;
  readonly kind: 'EMPTY' | 'RELEASE' | 'SEAL';
  readonly recipient: MemberId | '';
  readonly sections: readonly string[];
  readonly orderId: OrderId | null;
}

export interface LedgerRecord {
  readonly statement: Uint8Array;
  readonly body: Uint8Array;
}

export interface OpenedSlot {
  readonly statement: Uint8Array;
  readonly slot: Uint8Array;
  readonly path: readonly Hash[];
}

export type PurgeReason =
  | 'error'
  | 'delisted'
  | 'consent_withdrawn'
  | 'agreement_ended'
  | 'redress_upheld'
  | 'partner_withdrawn'
  | 'retention'
  | 'superseded'
  | 'scope_changed'
  | 'parent_purged';

/** Whose purge obliges to a child order. */
export interface OrderCause {
  readonly origin: MemberId;
  readonly orderId: OrderId;
  readonly entryHash: Hash;
  readonly parents: readonly EventId[];
}

export interface PurgeOrder extends Statement {
  readonly orderId: OrderId;
  readonly issuedAtMs: UnixMs;
  readonly deadlineMs: UnixMs;
  readonly reason: PurgeReason;
  readonly ids: readonly EventId[];
  readonly supersededBy: EventId | null;
  /** empty: all */
  readonly recipients: readonly MemberId[];
  /** empty: whole events */
  readonly sections: readonly string[];
  readonly cause: OrderCause | null;
}

export interface PurgeApproval extends Statement {
  readonly orderId: OrderId;
  readonly orderHash: Hash;
  readonly timeMs: UnixMs;
}

export interface SealHolder {
  readonly recipient: MemberId;
  readonly ids: readonly EventId[];
}

export interface SealGrant {
  readonly holder: MemberId;
  readonly parent: EventId;
  readonly childOrigin: MemberId;
  readonly child: EventId;
}

export interface SealRecord extends Statement {
  readonly orderId: OrderId;
  readonly orderHash: Hash;
  readonly timeMs: UnixMs;
  readonly ids: readonly EventId[];
  readonly seals: readonly { readonly ledgerNumber: number; readonly statementHash: Hash }[];
  readonly holders: readonly SealHolder[];
  readonly recipients: readonly MemberId[];
  readonly sections: readonly string[];
  readonly grants: readonly SealGrant[];
  readonly approvals: readonly Hash[];
}

export interface ProvenLeaf {
  readonly leaf: number;
  readonly header: Uint8Array;
  readonly path: readonly Hash[];
}

export interface EvidenceBlock {
  readonly statement: Uint8Array;
  readonly leaves: readonly ProvenLeaf[];
}

export interface SealEvidence {
  readonly blocks: readonly EvidenceBlock[];
}

export interface PurgeEntry extends Statement, Chained {
  readonly recipient: MemberId;
  readonly orderId: OrderId;
  readonly sealRecordHash: Hash;
  readonly part: number;
  readonly parts: number;
  readonly ids: readonly EventId[];
  readonly deadlineMs: UnixMs;
  readonly sections: readonly string[];
  readonly recipientsAll: boolean;
}

/** HELD by law, SYSTEMS_OPEN and CHILDREN_OPEN are open: a later receipt moves them to DELETED. */
export type PurgeOutcome = 'DELETED' | 'NOT_HELD' | 'HELD' | 'SYSTEMS_OPEN' | 'CHILDREN_OPEN';
export type ReceiptStage = 'OPEN' | 'DELETED' | 'NOT_HELD';

export interface LegalHold {
  readonly id: EventId;
  readonly ground: string;
  readonly authority: string;
  readonly reviewAtMs: UnixMs;
}

export interface ReceiptChild {
  readonly parent: EventId;
  readonly origin: MemberId;
  readonly id: EventId;
  readonly orderId: OrderId | null;
  readonly certificateHash: Hash | null;
}

export interface Receipt extends Statement, Chained {
  readonly holder: MemberId;
  readonly orderId: OrderId;
  readonly entryNumber: number;
  readonly entryHash: Hash;
  readonly stage: ReceiptStage;
  readonly outcomes: readonly { readonly id: EventId; readonly outcome: PurgeOutcome }[];
  readonly holds: readonly LegalHold[];
  readonly children: readonly ReceiptChild[];
  /** of a final receipt: the hash of the open one before it */
  readonly opened: Hash | null;
}

/** On the holder's chain of receipts. */
export interface MediaErased extends Statement, Chained {
  readonly holder: MemberId;
  readonly generations: readonly number[];
  readonly level: 'HSM' | 'BEST_EFFORT';
  readonly orders: readonly OrderId[];
}

export interface DerivationGrant extends Statement, Chained {
  readonly holder: MemberId;
  readonly parent: EventId;
  readonly child: EventId;
  readonly timeMs: UnixMs;
}

export interface MembershipChange extends Statement, Chained {
  readonly member: MemberId;
  readonly stage: 'LEAVING' | 'LEFT';
  readonly reason: string;
}

/** `from` to `to`, both included, will never come; the next statement names `hash` as the one before. */
export interface Void extends Statement {
  readonly chain: string;
  readonly epoch: number;
  readonly from: number;
  readonly to: number;
  readonly hash: Hash;
  readonly reason: string;
  readonly timeMs: UnixMs;
}

export interface FreshnessAnswer extends Statement {
  readonly recipient: MemberId;
  readonly nonce: Uint8Array;
  readonly timeMs: UnixMs;
  readonly epoch: number;
  readonly head: number;
  readonly headHash: Hash;
}

export interface DefaultNotice extends Statement {
  readonly recipient: MemberId;
  readonly timeMs: UnixMs;
  readonly orderId: OrderId;
  readonly entryEpoch: number;
  readonly entryNumber: number;
  readonly entryHash: Hash;
  readonly entryTimeMs: UnixMs;
  readonly deadlineMs: UnixMs;
}

/** What a service refused, on the member's quarantine topic. */
export interface QuarantinedRecord {
  readonly member: MemberId;
  readonly service: string;
  readonly source: string;
  readonly code: string;
  readonly message: string;
  readonly atMs: UnixMs;
  readonly valueHash: Hash;
  readonly value: Uint8Array | null;
}

export interface ChainLink {
  readonly statement: Uint8Array;
  readonly opened: readonly { readonly slot: Uint8Array; readonly path: readonly Hash[] }[];
}

export interface CertifiedBlock extends EvidenceBlock {
  readonly chain: readonly ChainLink[];
}

export interface CertifiedHolder {
  readonly recipient: MemberId;
  readonly entries: readonly Uint8Array[];
  /** in the order of the entries; of one entry the open one first */
  readonly receipts: readonly Uint8Array[];
  /** of entries without a final receipt */
  readonly notices: readonly Uint8Array[];
  /** Signed Certificate of child orders */
  readonly children: readonly Uint8Array[];
}

export interface Certificate extends Statement {
  readonly timeMs: UnixMs;
  readonly order: Uint8Array;
  readonly sealRecord: Uint8Array;
  readonly blocks: readonly CertifiedBlock[];
  readonly holders: readonly CertifiedHolder[];
  readonly approvals: readonly Uint8Array[];
}

/** Record name to shape; the first schema file of `BlockStatement` is `block-statement.v1.avsc`. */
export interface RecordTypes {
  readonly Signed: Signed;
  readonly Header: Header;
  readonly Audience: Audience;
  readonly DerivedFrom: DerivedFrom;
  readonly BlockStatement: BlockStatement;
  readonly Block: Block;
  readonly FeedStatement: FeedStatement;
  readonly FeedBlock: FeedBlock;
  readonly LedgerStatement: LedgerStatement;
  readonly PublicationTable: PublicationTable;
  readonly SlotTable: SlotTable;
  readonly SealTable: SealTable;
  readonly Slot: Slot;
  readonly LedgerRecord: LedgerRecord;
  readonly OpenedSlot: OpenedSlot;
  readonly PurgeOrder: PurgeOrder;
  readonly SealRecord: SealRecord;
  readonly SealEvidence: SealEvidence;
  readonly PurgeEntry: PurgeEntry;
  readonly Receipt: Receipt;
  readonly FreshnessAnswer: FreshnessAnswer;
  readonly DefaultNotice: DefaultNotice;
  readonly Certificate: Certificate;
  readonly PurgeApproval: PurgeApproval;
  readonly MediaErased: MediaErased;
  readonly DerivationGrant: DerivationGrant;
  readonly MembershipChange: MembershipChange;
  readonly Void: Void;
  readonly QuarantinedRecord: QuarantinedRecord;
}
export type RecordName = keyof RecordTypes;

/** Avro single-object encoding (C3 01, CRC-64-AVRO fingerprint, datum) of the records above. */
export interface RecordCodec {
  encode<Name extends RecordName>(name: Name, value: RecordTypes[Name]): Uint8Array;
  /** Refuses other schemas, over-long or non-minimal encodings and trailing bytes; never throws. */
  decode<Name extends RecordName>(
    name: Name,
    bytes: Uint8Array,
  ): Result<RecordTypes[Name], ConcordatError>;
}
