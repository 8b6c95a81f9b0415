import { equalBytes } from './bytes.js';
import { verifyDsse } from './dsse-json.js';
import { ConcordatError } from './errors.js';
import { isOpen, stageOf } from './purge-order.js';
import type { PurgeEntry, Receipt, RecordCodec } from './records.js';
import { type Result, err, ok } from './result.js';
import type { KeyDirectory, Verified } from './statement.js';

/** A rule of docs/certificate.md that a receipt breaks, and how. */
export type ReceiptProblem = readonly [rule: 'R3' | 'R4' | 'R5' | 'R6' | 'R8' | 'R9', what: string];

/** What is wrong with a receipt by itself; undefined when nothing is. */
export function receiptProblem(receipt: Receipt): ReceiptProblem | undefined {
  const { holder, outcomes, holds, children } = receipt;
  const answered = new Set(outcomes.map(({ id }) => id));
  if (answered.size !== outcomes.length) return ['R3', 'an event stands twice'];
  if (receipt.stage !== stageOf(outcomes.map(({ outcome }) => outcome))) {
    return ['R4', 'its stage is not its outcomes'];
  }
  const held = outcomes.filter(({ outcome }) => outcome === 'HELD').map(({ id }) => id);
  const grounds = new Set(holds.map(({ id }) => id));
  const isGrounded = grounds.size === holds.length && holds.length === held.length;
  if (!isGrounded || !held.every((id) => grounds.has(id))) {
    return ['R5', 'not a ground for each event that is held'];
  }
  const places = new Set(children.map(({ parent, id }) => `${parent} ${id}`));
  const isOwn = children.every(({ parent, origin }) => origin === holder && answered.has(parent));
  if (!isOwn || places.size !== children.length) return ['R6', 'it lists children that are none'];
  const parents = new Set(children.map(({ parent }) => parent));
  const isListed = outcomes.every(
    ({ id, outcome }) => outcome !== 'CHILDREN_OPEN' || parents.has(id),
  );
  return isListed ? undefined : ['R6', 'it does not list the children that are open'];
}

/** What is wrong with a receipt as the first for its entry; undefined when nothing is. */
export function firstProblem(receipt: Receipt): ReceiptProblem | undefined {
  return receipt.opened === null ? undefined : ['R8', 'an open receipt is missing'];
}

/**
 * What is wrong with `second` as the final receipt after `first`, an open one for the same entry: it names it, moves open
 * outcomes to DELETED and takes nothing else back.
 */
export function finalProblem(
  first: Pick<Verified<'Receipt'>, 'value' | 'hash'>,
  second: Receipt,
): ReceiptProblem | undefined {
  if (first.value.stage !== 'OPEN' || second.stage === 'OPEN') {
    return ['R8', "a receipt's stage goes back"];
  }
  const isNext =
    second.opened !== null &&
    equalBytes(second.opened, first.hash) &&
    second.epoch === first.value.epoch &&
    second.number > first.value.number;
  if (!isNext) return ['R8', 'a final receipt does not follow the open one'];
  const before = new Map(first.value.outcomes.map(({ id, outcome }) => [id, outcome]));
  const isMove = second.outcomes.every(({ id, outcome }) => {
    const was = before.get(id);
    return was !== undefined && outcome === (isOpen(was) ? 'DELETED' : was);
  });
  if (!isMove) return ['R9', 'a receipt changes more than what was open'];
  const named = new Set(second.children.map(({ parent, id }) => `${parent} ${id}`));
  const keeps = first.value.children.every(({ parent, id }) => named.has(`${parent} ${id}`));
  return keeps ? undefined : ['R9', 'a receipt drops a child that was open'];
}

/** Does a receipt name this entry, whole? */
export function answers(
  receipt: Receipt,
  entry: Pick<Verified<'PurgeEntry'>, 'value' | 'hash'>,
): boolean {
  const { value, hash } = entry;
  return (
    receipt.origin === value.origin &&
    receipt.orderId === value.orderId &&
    receipt.entryNumber === value.number &&
    equalBytes(receipt.entryHash, hash)
  );
}

/** Does it have an outcome for each event of the entry, and for no other? */
export function answersAll(receipt: Receipt, { ids }: Pick<PurgeEntry, 'ids'>): boolean {
  const asked = new Set(ids);
  return (
    receipt.outcomes.length === asked.size && receipt.outcomes.every(({ id }) => asked.has(id))
  );
}

/**
 * Does this file hold a holder's receipt, and does it answer the entry of the other file, if there is one?
 *
 * @param texts both DSSE JSON
 * @returns RECEIPT_INVALID with the first thing that does not hold
 */
export function verifyReceipt(
  codec: RecordCodec,
  keys: KeyDirectory,
  texts: { readonly receipt: string; readonly entry: string | undefined },
): Result<Receipt, ConcordatError> {
  const receipt = verifyDsse(codec, keys, 'Receipt', texts.receipt);
  if (!receipt.ok) return invalid(receipt.error.message);
  const { value } = receipt.value;
  const problem = receiptProblem(value);
  if (problem) return invalid(problem[1]);
  if (texts.entry === undefined) return ok(value);
  const entry = verifyDsse(codec, keys, 'PurgeEntry', texts.entry);
  if (!entry.ok) return invalid(`entry: ${entry.error.message}`);
  const isOfEntry = answers(value, entry.value) && entry.value.value.recipient === value.holder;
  if (!isOfEntry) return invalid('expected a receipt for this entry, came one for another');
  if (!answersAll(value, entry.value.value)) {
    return invalid("expected an outcome for each of the entry's events, and for no other");
  }
  return ok(value);
}

function invalid(message: string): Result<never, ConcordatError> {
  return err(new ConcordatError('RECEIPT_INVALID', message));
}
