import { equalBytes } from '@concordat/common/domain/bytes.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { Hash, MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import type {
  Certificate,
  CertifiedBlock,
  CertifiedHolder,
  ChainLink,
  EvidenceBlock,
  LedgerStatement,
  RecordCodec,
  SealEvidence,
  SealRecord,
} from '@concordat/common/domain/records.js';
import { type Result, err, ok } from '@concordat/common/domain/result.js';
import { type SlotTrees, readSlots } from '@concordat/common/domain/slots.js';
import {
  type CheckStatement,
  SUITE,
  type Verified,
  statementHash,
} from '@concordat/common/domain/statement.js';

export interface CertificateFacts {
  readonly federation: string;
  readonly origin: MemberId;
  readonly keyId: string;
  readonly timeMs: UnixMs;
  readonly order: Uint8Array;
  /** those that the node counted, in the order of the seal record */
  readonly approvals: readonly Uint8Array[];
  readonly sealRecord: { readonly bytes: Uint8Array; readonly value: SealRecord };
  readonly evidence: SealEvidence;
  /** Avro LedgerRecords of one block, from its publication on, as they were read and verified */
  readonly ledgerOf: (blockHash: Hash) => readonly Uint8Array[];
  readonly trees: SlotTrees;
  readonly statements: CheckStatement;
  /** in the order of the seal record's holders, entries by part */
  readonly holders: readonly CertifiedHolder[];
}

class Unbuildable extends Error {}

function need<T>(what: string, result: Result<T, ConcordatError>): T {
  if (!result.ok) throw new Unbuildable(`${what}: ${result.error.code}: ${result.error.message}`);
  return result.value;
}

/**
 * Puts the certificate of an order together, whatever its holders have answered so far. Every touched block's chain is given whole, up to this order's
 * seal, with only the ordered leaves' slots opened: other events and who holds them stay hidden.
 *
 * @returns CERTIFICATE_INVALID when the ledger that was read does not lead to the seal
 */
export function buildCertificate(
  codec: RecordCodec,
  facts: CertificateFacts,
): Result<Certificate, ConcordatError> {
  const { federation, origin, keyId, timeMs, order, approvals, holders } = facts;
  try {
    const blocks = facts.evidence.blocks.map((block) => certifyBlock(codec, facts, block));
    const sealRecord = facts.sealRecord.bytes;
    return ok({
      suite: SUITE,
      federation,
      origin,
      keyId,
      timeMs,
      order,
      sealRecord,
      blocks,
      holders,
      approvals,
    });
  } catch (cause) {
    if (!(cause instanceof Unbuildable)) throw cause;
    return err(new ConcordatError('CERTIFICATE_INVALID', cause.message));
  }
}

function certifyBlock(
  codec: RecordCodec,
  facts: CertificateFacts,
  block: EvidenceBlock,
): CertifiedBlock {
  const blockHash = statementHash(need('block statement', codec.decode('Signed', block.statement)));
  const leaves = block.leaves.map(({ leaf }) => leaf);
  const records = facts.ledgerOf(blockHash).map((bytes) => readRecord(codec, facts, bytes));
  // a narrower cover has one seal for each of its recipients
  const last = records.findLastIndex(({ statement: { value, hash } }) =>
    isSealOf(facts.sealRecord.value, value.number, hash),
  );
  if (last < 0) throw new Unbuildable('the ledger of a touched block ends before the seal');
  const chain = records.slice(0, last + 1).map(({ body, statement }): ChainLink => {
    const about = { statement: statement.value, body };
    return { statement: statement.bytes, opened: open(codec, facts.trees, about, leaves) };
  });
  return { statement: block.statement, leaves: block.leaves, chain };
}

function readRecord(
  codec: RecordCodec,
  { statements, origin }: CertificateFacts,
  bytes: Uint8Array,
): { readonly body: Uint8Array; readonly statement: Verified<'LedgerStatement'> } {
  const record = need('ledger record', codec.decode('LedgerRecord', bytes));
  const signer = { signer: origin };
  const statement = statements('LedgerStatement', record.statement, signer);
  return { body: record.body, statement: need('ledger statement', statement) };
}

function open(
  codec: RecordCodec,
  trees: SlotTrees,
  { statement, body }: { readonly statement: LedgerStatement; readonly body: Uint8Array },
  leaves: readonly number[],
): ChainLink['opened'] {
  if (statement.kind === 'PUBLICATION') return [];
  const { kind } = statement;
  return trees.open(statement, () => need('slot table', readSlots(codec, kind, body)), leaves);
}

function isSealOf(seal: SealRecord, ledgerNumber: number, hash: Hash): boolean {
  return seal.seals.some(
    (one) => one.ledgerNumber === ledgerNumber && equalBytes(one.statementHash, hash),
  );
}

/** The ledger has to be read this far before the certificate can be built. */
export function lastSealNumber(seal: Pick<SealRecord, 'seals'>): number {
  return seal.seals.reduce((last, { ledgerNumber }) => Math.max(last, ledgerNumber), 0);
}
