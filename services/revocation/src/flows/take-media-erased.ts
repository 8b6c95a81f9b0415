import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import { type Result, err, ok } from '@concordat/common/domain/result.js';
import type { Verified } from '@concordat/common/domain/statement.js';
import type { ReadStatement } from '@concordat/common/io/chain/followed-topic.js';
import type { RevocationContext } from './context.js';

/** A holder's word that the keys are destroyed under which purged ones were wrapped; it stands on its chain of receipts. */
export function readMediaErased(
  context: RevocationContext,
  holder: MemberId,
  value: Uint8Array,
): Result<ReadStatement, ConcordatError> {
  const erased = context.statements('MediaErased', value, { signer: holder });
  if (!erased.ok) return erased;
  const { origin, epoch, number, previous } = erased.value.value;
  if (origin !== context.self) {
    const text = `expected a statement to ${context.self}, came one to another member`;
    return err(new ConcordatError('NOT_ADDRESSED_HERE', text));
  }
  return ok({
    link: { epoch, number, previous, hash: erased.value.hash },
    apply: (nowMs) => accept(context, erased.value, nowMs),
  });
}

/** Every order that it names is one that the holder answered before: it says something about what it deleted. */
function accept(
  { store }: RevocationContext,
  { value: erased, bytes }: Verified<'MediaErased'>,
  nowMs: UnixMs,
): ConcordatError | undefined {
  const { holder, number, orders } = erased;
  const unasked = orders.find((orderId) => !isAnswered(store, holder, orderId));
  if (unasked !== undefined) {
    const text = `media erased ${number} of ${holder}: expected orders that it answered, ${unasked} is none`;
    return new ConcordatError('RECEIPT_INVALID', text);
  }
  store.media.add(erased, bytes, nowMs);
  return undefined;
}

function isAnswered(
  { entries, receipts }: RevocationContext['store'],
  holder: MemberId,
  orderId: Parameters<typeof entries.of>[0],
): boolean {
  return entries
    .of(orderId)
    .some((entry) => entry.recipient === holder && receipts.final(holder, entry.number));
}
