import type { UnixMs } from '@concordat/common/domain/ids.js';

/**
 * Where an order stands (DESIGN 6.2). `awaiting`: signed and durable, and too few people stand behind it: it takes no
 * event from a rule or another order meanwhile. `ordered`: it may go on. `sealed`: its keys are destroyed and its holders
 * known. `appended`: every holder's entry is in its purge ledger. `closed`: all answered, and the certificate is there.
 * `refused`: the own node will never seal it, because another order took its events for example.
 *
 * An order by which a member leaves goes another way. `leave_ordered`: enough people stand behind it. `leaving`: the own node
 * has signed that it leaves, and whatever it holds is ordered back by other orders. `closed`: it has left.
 */
export type OrderLife =
  | { readonly kind: 'awaiting' | 'ordered' | 'sealed' | 'closed' | 'refused' }
  | { readonly kind: 'leave_ordered' | 'leaving' }
  | { readonly kind: 'appended'; readonly openEntries: number };

export type OrderState = OrderLife['kind'];

export type OrderEvent =
  | { readonly kind: 'approvalMissing' | 'approved' | 'leaveApproved' }
  | { readonly kind: 'memberLetGo' | 'memberGone' }
  | { readonly kind: 'sealAnswered' | 'sealRefused' | 'entryAnswered' | 'certified' }
  /** 0 entries: nobody held it */
  | { readonly kind: 'entriesAppended'; readonly entries: number };

/** An event that does not belong to a state changes nothing: each of them may come twice. */
export function step(life: OrderLife, event: OrderEvent): OrderLife {
  switch (life.kind) {
    case 'awaiting':
      if (event.kind === 'sealRefused') return { kind: 'refused' };
      if (event.kind === 'leaveApproved') return { kind: 'leave_ordered' };
      return event.kind === 'approved' ? { kind: 'ordered' } : life;
    case 'leave_ordered':
      if (event.kind === 'approvalMissing') return { kind: 'awaiting' };
      if (event.kind === 'sealRefused') return { kind: 'refused' };
      return event.kind === 'memberLetGo' ? { kind: 'leaving' } : life;
    case 'leaving':
      return event.kind === 'memberGone' ? { kind: 'closed' } : life;
    case 'ordered':
      if (event.kind === 'approvalMissing') return { kind: 'awaiting' };
      if (event.kind === 'sealRefused') return { kind: 'refused' };
      return event.kind === 'sealAnswered' ? { kind: 'sealed' } : life;
    case 'sealed':
      return event.kind === 'entriesAppended'
        ? { kind: 'appended', openEntries: event.entries }
        : life;
    case 'appended':
      if (event.kind === 'entryAnswered') {
        return { kind: 'appended', openEntries: Math.max(0, life.openEntries - 1) };
      }
      return event.kind === 'certified' && life.openEntries === 0 ? { kind: 'closed' } : life;
    case 'closed':
    case 'refused':
      return life;
  }
}

/** Nothing will happen to it any more. */
export function isOver(state: OrderState): boolean {
  return state === 'closed' || state === 'refused';
}

/** Silence past the deadline is named, until the last answer is there (L3). */
export function isOverdue(state: OrderState, deadlineMs: UnixMs, nowMs: UnixMs): boolean {
  return !isOver(state) && nowMs > deadlineMs;
}
