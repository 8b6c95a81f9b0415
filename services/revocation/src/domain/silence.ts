import { type UnixMs, asUnixMs } from '@concordat/common/domain/ids.js';

/**
 * How one entry stands with its holder. `defaulted`: the deadline passed in silence, and the origin signed that; it stays
 * on record when the receipt comes after all (`answeredLate`).
 */
export type EntryLife = 'waiting' | 'defaulted' | 'answered' | 'answeredLate';

/** `due`: looked at after the deadline. */
export type EntryEvent = 'receipt' | 'due';

const STEPS = {
  waiting: { receipt: 'answered', due: 'defaulted' },
  defaulted: { receipt: 'answeredLate', due: 'defaulted' },
  answered: { receipt: 'answered', due: 'answered' },
  answeredLate: { receipt: 'answeredLate', due: 'answeredLate' },
} as const satisfies Record<EntryLife, Record<EntryEvent, EntryLife>>;

export function stepEntry(life: EntryLife, event: EntryEvent): EntryLife {
  return STEPS[life][event];
}

export function entryLife(has: { readonly receipt: boolean; readonly notice: boolean }): EntryLife {
  if (has.receipt) return has.notice ? 'answeredLate' : 'answered';
  return has.notice ? 'defaulted' : 'waiting';
}

/** A silent holder is reminded when these parts of its time have passed, */
const REMINDED_AT = [0.5, 0.9] as const;
/** and after the deadline so often. */
export const REMIND_EVERY_MS = 86_400_000;

/** An entry's time to answer. */
export interface Term {
  readonly appendedAtMs: UnixMs;
  readonly deadlineMs: UnixMs;
}

/** What is due at an entry without a receipt. */
export interface Look {
  readonly isReminded: boolean;
  readonly isPastDeadline: boolean;
  readonly nextLookMs: UnixMs;
}

/** When an entry is looked at first; at once if it was late before it was written. */
export function firstLook(term: Term): UnixMs {
  if (term.deadlineMs < term.appendedAtMs) return term.appendedAtMs;
  return asUnixMs(Math.min(...momentsAfter(term, term.appendedAtMs)));
}

/** Any number of moments that were missed, in a downtime perhaps, count as one. @param lookMs when the look was due */
export function lookAt(term: Term, lookMs: UnixMs, nowMs: UnixMs): Look {
  return {
    isReminded: reminderAfter(term, lookMs - 1) <= nowMs,
    isPastDeadline: term.deadlineMs < nowMs,
    nextLookMs: asUnixMs(Math.min(...momentsAfter(term, nowMs))),
  };
}

/** The next reminder, and the moment after the deadline if that is still to come. */
function momentsAfter(term: Term, ms: number): readonly number[] {
  const overdueMs = term.deadlineMs + 1;
  return [reminderAfter(term, ms), ...(overdueMs > ms ? [overdueMs] : [])];
}

function reminderAfter({ appendedAtMs, deadlineMs }: Term, ms: number): number {
  const before = REMINDED_AT.map((part) => appendedAtMs + part * (deadlineMs - appendedAtMs))
    .map(Math.floor)
    .find((at) => at > ms && at > appendedAtMs);
  if (before !== undefined) return before;
  const days = Math.max(1, Math.floor((ms - deadlineMs) / REMIND_EVERY_MS) + 1);
  return deadlineMs + days * REMIND_EVERY_MS;
}
