import {
  answers,
  answersAll,
  finalProblem,
  firstProblem,
  receiptProblem as problemInItself,
} from '@concordat/common/domain/receipt.js';
import type { Hash, MemberId } from '@concordat/common/domain/ids.js';
import type { PurgeEntry, Receipt, ReceiptStage } from '@concordat/common/domain/records.js';
import type { Verified } from '@concordat/common/domain/statement.js';

/** An entry of ours as a receipt has to name it. */
export interface AppendedEntry {
  readonly entry: PurgeEntry;
  readonly hash: Hash;
}

/**
 * A receipt is bound to order, entry, node, stage and outcome (S13), and a final one to the open one before it; undefined
 * when it fits.
 *
 * @param open what the holder said to this entry before, if that was an open receipt
 */
export function receiptProblem(
  receipt: Receipt,
  appended: AppendedEntry | undefined,
  open: Pick<Verified<'Receipt'>, 'value' | 'hash'> | undefined,
): string | undefined {
  if (!appended) return `no entry ${receipt.entryNumber} was made for ${receipt.holder}`;
  const { entry, hash } = appended;
  if (receipt.holder !== entry.recipient) return 'the entry was made for another member';
  if (receipt.orderId !== entry.orderId) return 'the entry belongs to another order';
  if (!answers(receipt, { value: entry, hash })) return 'the entry with this number is another one';
  if (!answersAll(receipt, entry)) {
    return 'the outcomes are not exactly those of the events in the entry';
  }
  const problem =
    problemInItself(receipt) ?? (open ? finalProblem(open, receipt) : firstProblem(receipt));
  return problem?.[1];
}

/** What several answers come to together: open if any is, deleted if anything was. */
function together(stages: readonly ReceiptStage[]): ReceiptStage {
  if (stages.includes('OPEN')) return 'OPEN';
  return stages.includes('DELETED') ? 'DELETED' : 'NOT_HELD';
}

/** The newest receipt for an entry. */
export interface HolderAnswer {
  readonly stage: ReceiptStage;
  readonly atMs: number;
  /** of an open one: what it says */
  readonly open: Pick<Receipt, 'outcomes' | 'holds'> | undefined;
}

export interface AnsweredPart {
  readonly recipient: MemberId;
  /** undefined: no receipt yet */
  readonly answer: HolderAnswer | undefined;
  /** 0: never, none */
  readonly remindedAtMs: number;
  readonly noticedAtMs: number;
}

export interface HolderState {
  readonly member: MemberId;
  /** DEFAULTED: silent past the deadline, and the origin signed that */
  readonly state: 'APPENDED' | 'DEFAULTED' | ReceiptStage;
  /** of the last answer; 0 while one is missing */
  readonly answeredAtMs: number;
  /** when its entry was last sent again for want of an answer; 0: never */
  readonly remindedAtMs: number;
  /** of the default notice; stays when the answer comes after all; 0: none */
  readonly noticedAtMs: number;
  /** events that its receipts do not call deleted yet: kept by law, */
  readonly held: number;
  /** the first of whose grounds is to be looked at again then; 0: none, */
  readonly reviewAtMs: number;
  /** not yet deleted by systems of its own, */
  readonly systemsOpen: number;
  /** gone into events of its own */
  readonly childrenOpen: number;
}

/** One state per holder: answered only when every part of its entries is. */
export function holderStates(parts: readonly AnsweredPart[]): HolderState[] {
  const members = [...new Set(parts.map(({ recipient }) => recipient))];
  return members.map((member) => {
    const own = parts.filter(({ recipient }) => recipient === member);
    const answers = own.flatMap(({ answer }) => (answer ? [answer] : []));
    const silence = {
      remindedAtMs: latest(own.map(({ remindedAtMs }) => remindedAtMs)),
      noticedAtMs: latest(own.map(({ noticedAtMs }) => noticedAtMs)),
    };
    const open = openIn(answers);
    if (answers.length < own.length) {
      const defaulted = own.some(({ answer, noticedAtMs }) => !answer && noticedAtMs > 0);
      const state = defaulted ? 'DEFAULTED' : 'APPENDED';
      return { member, state, answeredAtMs: 0, ...silence, ...open };
    }
    const state = together(answers.map(({ stage }) => stage));
    const answeredAtMs = latest(answers.map(({ atMs }) => atMs));
    return { member, state, answeredAtMs, ...silence, ...open };
  });
}

/** How many events are open, and why. */
function openIn(answers: readonly HolderAnswer[]) {
  const receipts = answers.flatMap(({ open }) => (open ? [open] : []));
  const open = receipts.flatMap(({ outcomes }) => outcomes.map(({ outcome }) => outcome));
  const reviews = receipts.flatMap(({ holds }) => holds.map(({ reviewAtMs }) => reviewAtMs));
  return {
    held: open.filter((outcome) => outcome === 'HELD').length,
    reviewAtMs: reviews.length === 0 ? 0 : Math.min(...reviews),
    systemsOpen: open.filter((outcome) => outcome === 'SYSTEMS_OPEN').length,
    childrenOpen: open.filter((outcome) => outcome === 'CHILDREN_OPEN').length,
  };
}

function latest(times: readonly number[]): number {
  return Math.max(0, ...times);
}
