import { EXIT, type ExitCode } from './exit-code.js';
import { timeText } from './time-text.js';

/** What the revocation service answers about one order. */
export interface OrderAnswer {
  readonly orderId: string;
  readonly state: string;
  readonly reason: string;
  readonly eventIds: readonly string[];
  readonly holders: readonly {
    readonly member: string;
    readonly state: string;
    readonly answeredAtMs: number;
    readonly remindedAtMs: number;
    readonly noticedAtMs: number;
    /** events that are not deleted yet, by why */
    readonly held: number;
    /** 0: none */
    readonly reviewAtMs: number;
    readonly systemsOpen: number;
    readonly childrenOpen: number;
    /** 0: not said of all that it deleted */
    readonly mediaErasedAtMs: number;
    readonly mediaLevel: string;
    readonly mediaOverdue: boolean;
  }[];
  readonly orderedAtMs: number;
  readonly closedAtMs: number;
  readonly deadlineMs: number;
  readonly overdue: boolean;
  readonly lastError: string;
  readonly eventCount: number;
  /** people who approved it, besides whoever signed it, and how many it needs */
  readonly approvals: number;
  readonly approvalsNeeded: number;
}

export function isClosed({ state }: Pick<OrderAnswer, 'state'>): boolean {
  return state === 'CLOSED';
}

/** The own node will never carry it out. */
export function isRefused({ state }: Pick<OrderAnswer, 'state'>): boolean {
  return state === 'REFUSED';
}

/** An order with times for people. */
export function orderView(order: OrderAnswer) {
  const { orderedAtMs, closedAtMs, deadlineMs, holders, ...rest } = order;
  return {
    ...rest,
    orderedAt: timeText(orderedAtMs),
    deadline: timeText(deadlineMs),
    closedAt: timeText(closedAtMs),
    holders: holders.map(
      ({ answeredAtMs, remindedAtMs, noticedAtMs, reviewAtMs, mediaErasedAtMs, ...holder }) => ({
        ...holder,
        answeredAt: timeText(answeredAtMs),
        remindedAt: timeText(remindedAtMs),
        noticedAt: timeText(noticedAtMs),
        reviewAt: timeText(reviewAtMs),
        mediaErasedAt: timeText(mediaErasedAtMs),
        afterMs: answeredAtMs === 0 ? null : answeredAtMs - orderedAtMs,
      }),
    ),
  };
}

/** An order that still waits for somebody is partly done. */
export function orderExit(order: Pick<OrderAnswer, 'state'>): ExitCode {
  if (isRefused(order)) return EXIT.refused;
  return isClosed(order) ? EXIT.done : EXIT.partlyDone;
}

/** What stands beside a holder's state, besides the time of its answer. */
export function silenceText(holder: {
  readonly remindedAt: string;
  readonly noticedAt: string;
}): string {
  return [
    ...(holder.remindedAt === '' ? [] : [`reminded ${holder.remindedAt}`]),
    ...(holder.noticedAt === '' ? [] : [`default notice ${holder.noticedAt}`]),
  ].join(', ');
}

/** What a holder said of the keys that had wrapped the purged ones; not a part of the proof that it deleted. */
export function mediaText(holder: {
  readonly mediaErasedAt: string;
  readonly mediaLevel: string;
  readonly mediaOverdue: boolean;
}): string {
  if (holder.mediaOverdue) return 'media not erased within the hour';
  const { mediaErasedAt, mediaLevel } = holder;
  return mediaErasedAt === '' ? '' : `media erased ${mediaErasedAt}, ${mediaLevel}`;
}

/** Has this holder answered for good? */
export function isDone({ state }: { readonly state: string }): boolean {
  return state === 'DELETED' || state === 'NOT_HELD';
}

/** Why a holder's answer is open. */
export function openText(holder: {
  readonly held: number;
  readonly reviewAt: string;
  readonly systemsOpen: number;
  readonly childrenOpen: number;
}): string {
  const { held, reviewAt, systemsOpen, childrenOpen } = holder;
  return [
    ...(held > 0 ? [`${held} held by law, review ${reviewAt}`] : []),
    ...(systemsOpen > 0 ? [`${systemsOpen} with its own systems`] : []),
    ...(childrenOpen > 0 ? [`${childrenOpen} in derived events`] : []),
  ].join(', ');
}

/** One line for the order and one for each holder, as they stand. */
export function standings(order: OrderAnswer): ReadonlyMap<string, string> {
  const late = order.overdue ? ', overdue' : '';
  const trouble = order.lastError === '' ? '' : `, last error ${order.lastError}`;
  const lines = new Map([['order', `${order.state}${late}${trouble}`]]);
  for (const { member, ...holder } of orderView(order).holders) {
    const open = openText(holder);
    lines.set(member, open === '' ? holder.state : `${holder.state}, ${open}`);
  }
  return lines;
}

/** What changed from one look to the next, a line each. */
export function changes(
  before: ReadonlyMap<string, string>,
  now: ReadonlyMap<string, string>,
): readonly (readonly [name: string, state: string])[] {
  return [...now].filter(([name, state]) => before.get(name) !== state);
}
