import type { UnixMs } from '@concordat/common/domain/ids.js';

/**
 * Where an order stands (DESIGN 6.2). `ordered`: signed and durable. `sealed`: its keys are destroyed and its holders
 * known. `appended`: every holder's entry is in its purge ledger. `closed`: all answered, and the certificate is there.
 */
export type OrderLife =
  | { readonly kind: 'ordered' | 'sealed' | 'closed' }
  | { readonly kind: 'appended'; readonly openEntries: number };

export type OrderState = OrderLife['kind'];

export type OrderEvent =
  | { readonly kind: 'sealAnswered' | 'entryAnswered' | 'certified' }
  /** 0 entries: nobody held it */
  | { readonly kind: 'entriesAppended'; readonly entries: number };

/** An event that does not belong to a state changes nothing: each of them may come twice. */
export function step(life: OrderLife, event: OrderEvent): OrderLife {
  switch (life.kind) {
    case 'ordered':
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
      return life;
  }
}

/** Silence past the deadline is named, until the last answer is there (L3). */
export function isOverdue(state: OrderState, deadlineMs: UnixMs, nowMs: UnixMs): boolean {
  return state !== 'closed' && nowMs > deadlineMs;
}
