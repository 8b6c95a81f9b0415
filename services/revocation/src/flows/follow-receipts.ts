import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import { err, ok } from '@concordat/common/domain/result.js';
import type { Verified } from '@concordat/common/domain/statement.js';
import { receiptsTopic } from '@concordat/common/domain/topics.js';
import { FollowedTopic } from '@concordat/common/io/chain/followed-topic.js';
import { type AppendedEntry, receiptProblem } from '../domain/receipt-binding.js';
import { type RevocationContext, followPorts } from './context.js';

/** Reads one holder's answers to our entries. */
export function followReceipts(context: RevocationContext, holder: MemberId): FollowedTopic {
  const { statements, self } = context;
  const topic = receiptsTopic({ origin: self, recipient: holder });
  return new FollowedTopic(followPorts(context), {
    topic,
    chainOf: () => topic,
    duplicates: `duplicates.${topic}`,
    onEffectFailing: 'set aside',
    read: (value) => {
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

/** Counts the first receipt that fits its entry; any other one for the same entry is evidence (S13). */
function accept(
  context: RevocationContext,
  { value: receipt, bytes }: Verified<'Receipt'>,
  nowMs: UnixMs,
): ConcordatError | undefined {
  const { receipts, orders, entries } = context.store;
  const { holder, entryNumber, stage, orderId } = receipt;
  const where = `receipt ${receipt.number} of ${holder}`;
  const problem = receiptProblem(receipt, entryOf(context, holder, entryNumber));
  if (problem !== undefined) return new ConcordatError('RECEIPT_INVALID', `${where}: ${problem}`);
  const before = receipts.find(holder, entryNumber);
  if (before?.stage === stage) {
    const text = `${where}: expected the first receipt's bytes for entry ${entryNumber}, came others`;
    return new ConcordatError('EQUIVOCATION', text);
  }
  if (before) {
    const text = `${where}: entry ${entryNumber} was answered ${before.stage}, which is final`;
    return new ConcordatError('RECEIPT_INVALID', text);
  }
  receipts.add(holder, entryNumber, { stage, bytes }, nowMs);
  entries.answered(holder, entryNumber);
  orders.advance(orderId, { kind: 'entryAnswered' });
  return undefined;
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
