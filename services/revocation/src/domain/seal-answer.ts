import { equalBytes } from '@concordat/common/domain/bytes.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { parseHeader } from '@concordat/common/domain/header.js';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import type { RecordCodec, SealEvidence, SealRecord } from '@concordat/common/domain/records.js';
import { type Result, err, ok } from '@concordat/common/domain/result.js';
import type { CheckStatement, Verified } from '@concordat/common/domain/statement.js';

/** What the own node answers to DestroyKeys. */
export interface SealAnswer {
  readonly sealRecord: Uint8Array;
  /** Avro SealEvidence */
  readonly evidence: Uint8Array;
}

export interface ReadSeal {
  readonly seal: Verified<'SealRecord'>;
  readonly evidence: SealEvidence;
}

/** Does our own node's answer seal exactly this order? An answer that does not would never lead to a certificate. */
export function readSealAnswer(
  codec: RecordCodec,
  statements: CheckStatement,
  order: Verified<'PurgeOrder'>,
  answer: SealAnswer,
): Result<ReadSeal, ConcordatError> {
  const { origin } = order.value;
  const seal = statements('SealRecord', answer.sealRecord, { signer: origin });
  if (!seal.ok) return seal;
  const evidence = codec.decode('SealEvidence', answer.evidence);
  if (!evidence.ok) return evidence;
  const problem =
    sealProblem(seal.value.value, order) ??
    evidenceProblem(codec, statements, order, evidence.value);
  if (problem === undefined) return ok({ seal: seal.value, evidence: evidence.value });
  return err(new ConcordatError('SEAL_INVALID', problem));
}

function sealProblem(seal: SealRecord, order: Verified<'PurgeOrder'>): string | undefined {
  if (seal.orderId !== order.value.orderId || !equalBytes(seal.orderHash, order.hash)) {
    return 'expected the seal record of this order, came one of another';
  }
  if (!sameSet(seal.ids, order.value.ids)) return 'expected the ordered events, came others';
  const isCover =
    sameSet(seal.recipients, order.value.recipients) &&
    sameSet(seal.sections, order.value.sections);
  if (!isCover) return 'expected the ordered cover, came another';
  if (seal.seals.length === 0) return 'expected at least one seal in the ledger';
  if (!isSet(seal.holders.map(({ recipient }) => recipient))) return 'a holder stands twice';
  const covered = new Set(seal.ids);
  for (const { recipient, ids } of seal.holders) {
    const fits = ids.length > 0 && isSet(ids) && ids.every((id) => covered.has(id));
    if (!fits) return `expected ordered events for holder ${recipient}, each once`;
    const isNamed = seal.recipients.length === 0 || seal.recipients.includes(recipient);
    if (!isNamed) return `expected holders within the cover, came ${recipient}`;
    if (recipient === order.value.origin) return 'expected other members as holders';
  }
  return undefined;
}

function evidenceProblem(
  codec: RecordCodec,
  statements: CheckStatement,
  order: Verified<'PurgeOrder'>,
  evidence: SealEvidence,
): string | undefined {
  const proven: EventId[] = [];
  const signer: MemberId = order.value.origin;
  for (const block of evidence.blocks) {
    const statement = statements('BlockStatement', block.statement, { signer });
    if (!statement.ok) return `evidence: ${statement.error.code}: ${statement.error.message}`;
    for (const leaf of block.leaves) {
      const header = parseHeader(codec, leaf.header);
      if (!header.ok) return `evidence: ${header.error.message}`;
      proven.push(header.value.id);
    }
  }
  return sameSet(proven, order.value.ids) ? undefined : 'expected evidence of the ordered events';
}

function isSet(items: readonly string[]): boolean {
  return new Set(items).size === items.length;
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  const other = new Set(b);
  return a.length === other.size && isSet(a) && a.every((item) => other.has(item));
}
