import { equalBytes } from '@concordat/common/domain/bytes.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { Hash, MemberId } from '@concordat/common/domain/ids.js';
import type { Receipt } from '@concordat/common/domain/records.js';
import {
  type Verified,
  kindOfStatement,
  statementHash,
  verifyStatement,
} from '@concordat/common/domain/statement.js';
import { receiptsTopic } from '@concordat/common/domain/topics.js';
import type { LogClient } from '@concordat/common/io/log-client.js';
import type { PendingEntry } from '../../io/state/purge-entries.js';
import type { NodeContext } from '../context.js';
import { chainsAhead, ownReceipts } from './own-topics.js';

const BATCH = 500;

/**
 * Takes over the receipts that this node is known to have signed: their chain goes on where the topic ends, and the
 * entries they answer are answered with the same bytes when the purge ledger is read from its beginning.
 *
 * @returns how many receipts were taken over
 * @throws ConcordatError STATE_LOST when the topic does not carry the whole chain
 */
export async function replayReceipts(
  context: NodeContext,
  log: LogClient,
  origin: MemberId,
): Promise<number> {
  const ahead = await chainsAhead(context, log, ownReceipts(context, origin));
  if (ahead.size === 0) return 0;
  const { codec, keys, self, state } = context;
  const topic = receiptsTopic({ origin, recipient: self });
  const before = state.chains.ownHead(topic).number;
  let batch: Said[] = [];
  const apply = (): void => {
    state.db.transaction(() => {
      for (const said of batch) takeOver(context, topic, said);
    });
    batch = [];
  };
  await log.scan(topic, 0, 0n, ({ value }) => {
    const name = kindOfStatement(codec, ['Receipt', 'MediaErased'], value);
    const said = name && verifyStatement(codec, keys, name, value, { signer: self });
    // a stranger's bytes on our topic are none of ours
    if (!said?.ok || said.value.value.origin !== origin) return;
    if (said.value.value.number <= before) return;
    batch.push(said.value);
    if (batch.length >= BATCH) apply();
  });
  apply();
  answerPending(context);
  return state.chains.ownHead(topic).number - before;
}

/** What stands on a chain of receipts. */
type Said = Verified<'Receipt' | 'MediaErased'>;

function takeOver({ state }: NodeContext, topic: string, said: Said): void {
  const { epoch, number, previous, origin } = said.value;
  const head = state.chains.ownHead(topic);
  if (number <= head.number) return;
  if (number !== head.number + 1 || !equalBytes(previous, head.hash)) {
    const expected = `expected receipt ${String(head.number + 1)} of one chain`;
    throw new ConcordatError('STATE_LOST', `${topic}: ${expected}, came ${String(number)}`);
  }
  state.chains.advanceOwn(topic, head, { epoch, number, hash: said.hash });
  if ('orders' in said.value) {
    state.unerased.erased(origin, said.value.orders);
    return;
  }
  const { entryHash, orderId, stage, timeMs } = said.value;
  state.answered.add(origin, entryHash, number, said.bytes);
  if (stage === 'DELETED') state.unerased.add({ origin, orderId }, timeMs);
}

/** Entries of an older state that were answered after it: their answer is the one that was given. */
function answerPending(context: NodeContext): void {
  const { state } = context;
  state.db.transaction(() => {
    for (const entry of state.purges.unanswered()) {
      answerAsBefore(context, entry, takeAnswers(context, entry));
    }
  });
}

/** A receipt of this node, read back from its own topic. */
export interface GivenReceipt {
  readonly receipt: Receipt;
  readonly bytes: Uint8Array;
  readonly hash: Hash;
}

/**
 * The receipts that were given for this entry before the state was lost, the open one first; asked once, in the entry's
 * commit.
 */
export function takeAnswers(
  { state, codec }: NodeContext,
  { origin, hash }: Pick<PendingEntry, 'origin' | 'hash'>,
): readonly GivenReceipt[] {
  const found = state.answered.of(origin, hash).map((bytes) => {
    const signed = codec.decode('Signed', bytes);
    const receipt = signed.ok ? codec.decode('Receipt', signed.value.payload) : signed;
    if (!receipt.ok || !signed.ok) {
      throw new ConcordatError('INTERNAL', 'an own receipt does not decode');
    }
    return { receipt: receipt.value, bytes, hash: statementHash(signed.value) };
  });
  if (found.length > 0) state.answered.drop(origin, hash);
  return found;
}

/** The entry is answered with these very bytes, and what was open is open again. */
export function answerAsBefore(
  { state }: NodeContext,
  entry: PendingEntry,
  given: readonly GivenReceipt[],
): void {
  const final = given.find(({ receipt }) => receipt.stage !== 'OPEN');
  const open = given.find(({ receipt }) => receipt.stage === 'OPEN');
  if (open) state.purges.setOpenReceipt(entry, open, open.receipt.outcomes);
  if (final) state.purges.setReceipt(entry, final.bytes);
  for (const { id, orderId, certificateHash } of final?.receipt.children ?? []) {
    if (orderId && certificateHash) state.children.close(id, orderId, certificateHash);
  }
  if (final && open) {
    // they were released: what an earlier copy of the data store says of them is over
    const ids = open.receipt.holds.map(({ id }) => id);
    state.holds.release(entry.origin, ids, final.receipt.timeMs);
  }
  if (!open || final) return;
  const placedAtMs = open.receipt.timeMs;
  for (const hold of open.receipt.holds) {
    state.holds.remember({ origin: entry.origin, placedAtMs, ...hold });
  }
  const owed = open.receipt.outcomes
    .filter(({ outcome }) => outcome === 'SYSTEMS_OPEN')
    .map(({ id }) => id);
  state.systems.oweAgain(entry.origin, owed);
  state.notices.withdrawAgain(entry.origin, owed, 'PURGED');
}
