import { EXIT, type ExitCode } from './exit-code.js';
import { openText } from './purge-progress.js';
import { timeText } from './time-text.js';

/** An entry that a leaving member has not answered for good. */
interface OwedAnswer {
  readonly orderId: string;
  readonly reason: string;
  readonly entryNumber: number;
  readonly events: number;
  readonly deadlineMs: number;
  readonly overdue: boolean;
  readonly state: string;
  readonly noticedAtMs: number;
  readonly held: number;
  readonly reviewAtMs: number;
  readonly systemsOpen: number;
  readonly childrenOpen: number;
}

/** What the revocation service answers about a member that leaves or has left. */
export interface LeavingAnswer {
  readonly member: string;
  readonly stage: string;
  readonly orderId: string;
  readonly reason: string;
  readonly sinceMs: number;
  readonly leftAtMs: number;
  readonly deadlineMs: number;
  readonly lastError: string;
  readonly reading: boolean;
  readonly events: number;
  readonly notOrdered: number;
  readonly answered: number;
  readonly overdue: number;
  readonly held: number;
  readonly systemsOpen: number;
  readonly childrenOpen: number;
  readonly owed: readonly OwedAnswer[];
  readonly owedEntries: number;
}

/** Its answer with times for people. */
export function leavingView({ sinceMs, leftAtMs, deadlineMs, owed, ...rest }: LeavingAnswer) {
  return {
    ...rest,
    since: timeText(sinceMs),
    leftAt: timeText(leftAtMs),
    deadline: timeText(deadlineMs),
    owed: owed.map((entry) => {
      const { deadlineMs: dueMs, noticedAtMs, reviewAtMs, ...said } = entry;
      return {
        ...said,
        deadline: timeText(dueMs),
        noticedAt: timeText(noticedAtMs),
        reviewAt: timeText(reviewAtMs),
      };
    }),
  };
}

type LeavingView = ReturnType<typeof leavingView>;

/** What a person is asked who lets a member go. */
export function leaveQuestion(leaver: string, events: number): string {
  return `Let ${leaver} leave? Nothing more will ever go to it, and all ${events} events that it was given are taken back.`;
}

/** It has left, and owes nothing. */
export function isGone({
  stage,
  owedEntries,
}: Pick<LeavingAnswer, 'stage' | 'owedEntries'>): boolean {
  return stage === 'LEFT' && owedEntries === 0;
}

/** As of orders: while anybody owes something, it is partly done. */
export function leavingExit(members: readonly LeavingAnswer[]): ExitCode {
  return members.every(isGone) ? EXIT.done : EXIT.partlyDone;
}

/**
 * With which exit code does watching end now? Not while it goes on by itself; a member that is overdue may be for ever, and one
 * whose leaving the own node refused is none that leaves.
 */
export function leavingEnd(leaving: LeavingAnswer | undefined): ExitCode | undefined {
  if (!leaving) return EXIT.refused;
  if (isGone(leaving)) return EXIT.done;
  return leaving.overdue > 0 ? EXIT.partlyDone : undefined;
}

/** Where it stands, in one line that changes with progress. */
export function standingText(leaving: LeavingAnswer): string {
  const { stage, events, answered, notOrdered, overdue, owedEntries, reading } = leaving;
  if (stage === 'AWAITING_APPROVAL' || stage === 'LEAVE_ORDERED') return stage;
  return [
    `${stage}, ${answered} of ${events} events deleted`,
    ...(reading ? ['the ledger is being read'] : []),
    ...(notOrdered > 0 ? [`${notOrdered} not ordered yet`] : []),
    ...(owedEntries > 0 ? [`owes ${owedEntries} answers`] : []),
    ...(overdue > 0 ? [`${overdue} events overdue`] : []),
    ...openOf(leavingView(leaving)),
  ].join(', ');
}

/** An entry that it owes, a line. */
export function owedLine(entry: LeavingView['owed'][number]): string {
  const { orderId, state, events, deadline, overdue, noticedAt } = entry;
  const open = openText(entry);
  return [
    ...[orderId, state.padEnd(9), `${events} events`.padEnd(11)],
    `deadline ${deadline}${overdue ? ', overdue' : ''}`,
    ...(open === '' ? [] : [open]),
    ...(noticedAt === '' ? [] : [`default notice ${noticedAt}`]),
  ].join('  ');
}

function openOf({ owed, held, systemsOpen, childrenOpen }: LeavingView): string[] {
  const reviews = owed.map(({ reviewAt }) => reviewAt).filter((at) => at !== '');
  const text = openText({ held, systemsOpen, childrenOpen, reviewAt: reviews.sort()[0] ?? '' });
  return text === '' ? [] : [text];
}
