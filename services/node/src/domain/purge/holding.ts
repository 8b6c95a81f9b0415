import type { PurgeOutcome } from '@concordat/common/domain/records.js';

/**
 * What a node has of another member's event. `ended`: deleted here at the end of its retention, and no receipt says so
 * yet. `purged`: an order covers it, and a receipt speaks of it.
 */
export type Holding = 'unseen' | 'held' | 'ended' | 'purged';

/** Who buried it: the clock at the end of its term, or an order. */
export type Cause = 'retention' | 'order';

export function holdingOf(cause: Cause | undefined, isHeld: boolean): Holding {
  if (cause !== undefined) return cause === 'order' ? 'purged' : 'ended';
  return isHeld ? 'held' : 'unseen';
}

/**
 * The first entry for what was held is answered DELETED, whoever was first, the order or the clock: keys were here and
 * are gone (S2). Every later one is answered NOT_HELD: an earlier receipt speaks of the deletion, or nothing was held.
 */
const OUTCOMES = {
  unseen: 'NOT_HELD',
  held: 'DELETED',
  ended: 'DELETED',
  purged: 'NOT_HELD',
} as const satisfies Record<Holding, PurgeOutcome>;

/** What the receipt for an entry says of an event that stands so; judged before the deletion, and kept with the tombstone. */
export function outcomeOf(holding: Holding): PurgeOutcome {
  return OUTCOMES[holding];
}
