import type { OrderAnswer } from './purge-progress.js';

type Holder = OrderAnswer['holders'][number];

/** The least far first; a purge is where its last order is. */
const STATES = ['AWAITING_APPROVAL', 'ORDERED', 'SEALED', 'APPENDED', 'REFUSED', 'CLOSED'];
const HOLDER_STATES = ['DEFAULTED', 'APPENDED', 'OPEN', 'DELETED', 'NOT_HELD'];

/** The orders of one purge as if they were one order. @param parts the first one first; undefined for none */
export function together(parts: readonly OrderAnswer[]): OrderAnswer | undefined {
  const [first, ...more] = parts;
  if (!first || more.length === 0) return first;
  const members = [...new Set(parts.flatMap(({ holders }) => holders.map(({ member }) => member)))];
  const closed = parts.every(({ state }) => state === 'CLOSED');
  return {
    ...first,
    state: leastFar(parts, STATES),
    eventIds: [],
    eventCount: parts.reduce((sum, { eventCount }) => sum + eventCount, 0),
    holders: members.sort().map((member) =>
      holderOf(
        member,
        parts.flatMap(({ holders }) => holders.filter((one) => one.member === member)),
      ),
    ),
    orderedAtMs: Math.min(...parts.map(({ orderedAtMs }) => orderedAtMs)),
    closedAtMs: closed ? latest(parts.map(({ closedAtMs }) => closedAtMs)) : 0,
    deadlineMs: latest(parts.map(({ deadlineMs }) => deadlineMs)),
    overdue: parts.some(({ overdue }) => overdue),
    lastError: parts.find(({ lastError }) => lastError !== '')?.lastError ?? '',
    approvals: Math.min(...parts.map(({ approvals }) => approvals)),
    approvalsNeeded: latest(parts.map(({ approvalsNeeded }) => approvalsNeeded)),
  };
}

function holderOf(member: string, holders: readonly Holder[]): Holder {
  const answered = holders.filter(({ answeredAtMs }) => answeredAtMs > 0);
  const isDone = answered.length === holders.length;
  const state = leastFar(holders, HOLDER_STATES);
  const sum = (of: (holder: Holder) => number) => holders.map(of).reduce((a, b) => a + b, 0);
  const erased = holders.filter(({ mediaErasedAtMs }) => mediaErasedAtMs > 0);
  const areErased = isDone && erased.length > 0 && !holders.some(owesMedia);
  const reviews = holders.map(({ reviewAtMs }) => reviewAtMs).filter((at) => at > 0);
  return {
    member,
    state: isDone ? state : `${state}, ${answered.length} of ${holders.length} orders answered`,
    answeredAtMs: isDone ? latest(answered.map(({ answeredAtMs }) => answeredAtMs)) : 0,
    remindedAtMs: latest(holders.map(({ remindedAtMs }) => remindedAtMs)),
    noticedAtMs: latest(holders.map(({ noticedAtMs }) => noticedAtMs)),
    held: sum(({ held }) => held),
    reviewAtMs: reviews.length === 0 ? 0 : Math.min(...reviews),
    systemsOpen: sum(({ systemsOpen }) => systemsOpen),
    childrenOpen: sum(({ childrenOpen }) => childrenOpen),
    mediaErasedAtMs: areErased ? latest(erased.map(({ mediaErasedAtMs }) => mediaErasedAtMs)) : 0,
    mediaLevel: areErased ? leastSure(erased) : '',
    mediaOverdue: holders.some(({ mediaOverdue }) => mediaOverdue),
  };
}

/** Whoever held nothing of an order has nothing to say of its media. */
function owesMedia({ state, mediaErasedAtMs }: Holder): boolean {
  return state === 'DELETED' && mediaErasedAtMs === 0;
}

function leastSure(holders: readonly Holder[]): string {
  const levels = holders.map(({ mediaLevel }) => mediaLevel);
  return levels.find((level) => level !== 'HSM') ?? 'HSM';
}

/** A state that this version does not know counts as the least far. */
function leastFar(of: readonly { readonly state: string }[], states: readonly string[]): string {
  const ranked = [...of].sort((a, b) => states.indexOf(a.state) - states.indexOf(b.state));
  return ranked[0]?.state ?? '';
}

function latest(times: readonly number[]): number {
  return Math.max(0, ...times);
}
