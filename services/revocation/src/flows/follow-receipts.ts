import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import { err, ok } from '@concordat/common/domain/result.js';
import type { Receipt } from '@concordat/common/domain/records.js';
import { type Verified, kindOfStatement } from '@concordat/common/domain/statement.js';
import { receiptsTopic } from '@concordat/common/domain/topics.js';
import { FollowedTopic } from '@concordat/common/io/chain/followed-topic.js';
import { type AppendedEntry, receiptProblem } from '../domain/receipt-binding.js';
import { type RevocationContext, followPorts } from './context.js';
import { readMediaErased } from './take-media-erased.js';

/**
 * Reads one holder's answers to our entries, and what it says of its media.
 *
 * @param onMissing told when numbers of the chain are missing
 */
export function followReceipts(
  context: RevocationContext,
  holder: MemberId,
  onMissing: () => void,
): FollowedTopic {
  const { statements, codec, self } = context;
  const topic = receiptsTopic({ origin: self, recipient: holder });
  return new FollowedTopic(followPorts(context), {
    topic,
    chainOf: () => topic,
    duplicates: `duplicates.${topic}`,
    onEffectFailing: 'set aside',
    onMissing,
    read: (value) => {
      if (kindOfStatement(codec, ['MediaErased'], value)) {
        return readMediaErased(context, holder, value);
      }
      const receipt = statements('Receipt', value, { signer: holder });
      if (!receipt.ok) return receipt;
      const { origin, epoch, number, previous } = receipt.value.value;
      if (origin !== self) {
        const text = `expected a receipt for ${self}, came one for another member`;
        return err(new ConcordatError('NOT_ADDRESSED_HERE', text));
      }
      return ok({
        link: { epoch, number, previous, hash: receipt.value.hash },
        apply: (nowMs) => accept(context, receipt.value, nowMs),
      });
    },
  });
}

/**
 * Counts the first receipt of each stage that fits its entry; any other one for the same entry is evidence (S13). An open
 * one ends the holder's silence, and only a final one answers the entry.
 */
function accept(
  context: RevocationContext,
  { value: receipt, bytes }: Verified<'Receipt'>,
  nowMs: UnixMs,
): ConcordatError | undefined {
  const { receipts, orders, entries, media } = context.store;
  const { holder, entryNumber, stage, orderId } = receipt;
  const where = `receipt ${receipt.number} of ${holder}`;
  const isFinal = stage !== 'OPEN';
  const final = receipts.final(holder, entryNumber);
  const open = receipts.open(holder, entryNumber);
  const entry = entryOf(context, holder, entryNumber);
  const before = isFinal && open ? verified(context, holder, open.bytes) : undefined;
  const problem = receiptProblem(receipt, entry, before);
  if (problem !== undefined) return new ConcordatError('RECEIPT_INVALID', `${where}: ${problem}`);
  if ((isFinal ? final : open)?.stage === stage) {
    const text = `${where}: expected the first receipt's bytes for entry ${entryNumber}, came others`;
    return new ConcordatError('EQUIVOCATION', text);
  }
  if (final) {
    const text = `${where}: entry ${entryNumber} has its final answer, nothing is open any more`;
    return new ConcordatError('RECEIPT_INVALID', text);
  }
  receipts.add(holder, entryNumber, { stage, bytes }, nowMs);
  entries.answered(holder, entryNumber);
  if (stage === 'DELETED') media.expect(holder, receipt, nowMs);
  if (isFinal) {
    wantChildren(context, receipt);
    orders.advance(orderId, { kind: 'entryAnswered' });
  }
  return undefined;
}

/** The order is closed with the certificates of what its holders derived. */
function wantChildren(
  { store }: RevocationContext,
  { holder, orderId: parentOrder, children }: Receipt,
): void {
  for (const { id, orderId, certificateHash: hash } of children) {
    if (orderId && hash) store.children.want({ parentOrder, holder, hash, orderId }, id);
  }
}

function verified(
  { statements }: RevocationContext,
  holder: MemberId,
  bytes: Uint8Array,
): Verified<'Receipt'> {
  const receipt = statements('Receipt', bytes, { signer: holder });
  if (!receipt.ok) throw receipt.error;
  return receipt.value;
}

function entryOf(
  { store, statements, self }: RevocationContext,
  holder: MemberId,
  number: number,
): AppendedEntry | undefined {
  const stored = store.entries.find(holder, number);
  if (!stored) return undefined;
  const entry = statements('PurgeEntry', stored.bytes, { signer: self });
  if (!entry.ok) throw entry.error;
  return { entry: entry.value.value, hash: entry.value.hash };
}
