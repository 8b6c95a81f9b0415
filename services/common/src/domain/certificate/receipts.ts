import { equalBytes } from '../bytes.js';
import {
  type ReceiptProblem,
  answers,
  answersAll,
  finalProblem,
  firstProblem,
  receiptProblem,
} from '../receipt.js';
import type { CertifiedHolder, PurgeOutcome } from '../records.js';
import type { Verified } from '../statement.js';
import { type Reading, demand } from './rules.js';

/** Why an entry is not answered for good. */
export type Why = 'silent' | 'held' | 'systems' | 'children';

const WHY = {
  HELD: 'held',
  SYSTEMS_OPEN: 'systems',
  CHILDREN_OPEN: 'children',
} as const satisfies Partial<Record<PurgeOutcome, Why>>;

/** An entry and what its holder said to it: an open receipt, a final one, both or nothing. */
export interface Answer {
  readonly entry: Verified<'PurgeEntry'>;
  readonly open: Verified<'Receipt'> | undefined;
  readonly final: Verified<'Receipt'> | undefined;
}

/** The receipts of one holder, in the order of its entries, of each the open one first. */
export function checkReceipts(
  reading: Reading,
  { recipient, receipts: given }: CertifiedHolder,
  entries: readonly Verified<'PurgeEntry'>[],
): readonly Answer[] {
  const receipts = given.map((bytes) => {
    const receipt = reading.statement('R1', 'Receipt', bytes, recipient);
    const at = entries.findIndex((entry) => answers(receipt.value, entry));
    const entry = entries[at];
    demand(entry !== undefined, 'R2', `${recipient}: a receipt for another entry`);
    const isWhole = answersAll(receipt.value, entry.value);
    demand(isWhole, 'R3', `${recipient}: a receipt leaves events out`);
    const [rule = 'R3', what = ''] = receiptProblem(receipt.value) ?? [];
    demand(what === '', rule, `${recipient}: a receipt: ${what}`);
    return { receipt, at };
  });
  const places = receipts.map(({ at }) => at);
  const inOrder = places.every((place, at) => place >= (places[at - 1] ?? 0));
  demand(inOrder, 'R7', `${recipient}: receipts in another order than the entries`);
  return entries.map((entry, place) => {
    const own = receipts.flatMap(({ receipt, at }) => (at === place ? [receipt] : []));
    return answerOf(entry, own);
  });
}

function answerOf(entry: Verified<'PurgeEntry'>, receipts: readonly Verified<'Receipt'>[]): Answer {
  const who = entry.value.recipient;
  const [first, second] = receipts;
  demand(receipts.length <= 2, 'R8', `${who}: an entry is answered too often`);
  if (!first) return { entry, open: undefined, final: undefined };
  if (!second) {
    demandNone(who, firstProblem(first.value));
    return first.value.stage === 'OPEN'
      ? { entry, open: first, final: undefined }
      : { entry, open: undefined, final: first };
  }
  demand(first.value.opened === null, 'R8', `${who}: a receipt's stage goes back`);
  demandNone(who, finalProblem(first, second.value));
  return { entry, open: first, final: second };
}

function demandNone(who: string, problem: ReceiptProblem | undefined): void {
  if (problem) demand(false, problem[0], `${who}: ${problem[1]}`);
}

/** Default notices are about entries that have no final receipt, one each. */
export function checkNotices(
  reading: Reading,
  { recipient, notices }: CertifiedHolder,
  answers: readonly Answer[],
): void {
  const open = new Set(answers.filter(({ final }) => !final));
  for (const bytes of notices) {
    const { value } = reading.statement('N1', 'DefaultNotice', bytes);
    const answer = [...open].find(({ entry }) => {
      const asked = entry.value;
      return (
        value.recipient === recipient &&
        value.orderId === asked.orderId &&
        value.entryEpoch === asked.epoch &&
        value.entryNumber === asked.number &&
        equalBytes(value.entryHash, entry.hash) &&
        value.entryTimeMs === asked.timeMs &&
        value.deadlineMs === asked.deadlineMs
      );
    });
    demand(answer !== undefined, 'N2', `${recipient}: a notice about no entry that is open`);
    open.delete(answer);
    const isLate = value.timeMs > value.deadlineMs;
    demand(isLate, 'N3', `${recipient}: a notice from before the deadline`);
  }
}

/** Why this entry is not answered for good, as its receipts say; nothing when it is. */
export function whyOpen({ open, final }: Answer): readonly Why[] {
  if (final) return [];
  if (!open) return ['silent'];
  const whys = open.value.outcomes.flatMap(({ outcome }) => {
    return outcome === 'DELETED' || outcome === 'NOT_HELD' ? [] : [WHY[outcome]];
  });
  return [...new Set(whys)];
}
