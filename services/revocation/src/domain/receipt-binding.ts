import { equalBytes } from '@concordat/common/domain/bytes.js';
import type { Hash, MemberId } from '@concordat/common/domain/ids.js';
import { stageOf } from '@concordat/common/domain/purge-order.js';
import type { PurgeEntry, Receipt, ReceiptStage } from '@concordat/common/domain/records.js';

/** An entry of ours as a receipt has to name it. */
export interface AppendedEntry {
  readonly entry: PurgeEntry;
  readonly hash: Hash;
}

/** A receipt is bound to order, entry, node, stage and outcome (S13); undefined when it fits. */
export function receiptProblem(
  receipt: Receipt,
  appended: AppendedEntry | undefined,
): string | undefined {
  if (!appended) return `no entry ${receipt.entryNumber} was made for ${receipt.holder}`;
  const { entry, hash } = appended;
  if (receipt.holder !== entry.recipient) return 'the entry was made for another member';
  if (receipt.orderId !== entry.orderId) return 'the entry belongs to another order';
  if (receipt.entryNumber !== entry.number) return 'the entry has another number';
  if (!equalBytes(receipt.entryHash, hash)) return 'the entry with this number is another one';
  const answered = new Set(receipt.outcomes.map(({ id }) => id));
  const complete =
    receipt.outcomes.length === entry.ids.length && entry.ids.every((id) => answered.has(id));
  if (!complete) return 'the outcomes are not exactly those of the events in the entry';
  if (receipt.stage === 'OPEN') return 'expected a final receipt';
  return receipt.stage === stageOf(receipt.outcomes.map(({ outcome }) => outcome))
    ? undefined
    : 'the stage does not follow from the outcomes';
}

/** What several answers come to together: open if any is, deleted if anything was. */
function together(stages: readonly ReceiptStage[]): ReceiptStage {
  if (stages.includes('OPEN')) return 'OPEN';
  return stages.includes('DELETED') ? 'DELETED' : 'NOT_HELD';
}

export interface AnsweredPart {
  readonly recipient: MemberId;
  /** undefined: no receipt yet */
  readonly answer: { readonly stage: ReceiptStage; readonly atMs: number } | undefined;
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
    if (answers.length < own.length) {
      const defaulted = own.some(({ answer, noticedAtMs }) => !answer && noticedAtMs > 0);
      return { member, state: defaulted ? 'DEFAULTED' : 'APPENDED', answeredAtMs: 0, ...silence };
    }
    const state = together(answers.map(({ stage }) => stage));
    return { member, state, answeredAtMs: latest(answers.map(({ atMs }) => atMs)), ...silence };
  });
}

function latest(times: readonly number[]): number {
  return Math.max(0, ...times);
}
