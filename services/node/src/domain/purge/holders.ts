import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import { type Cover, meets } from '@concordat/common/domain/purge-order.js';
import type { SealHolder } from '@concordat/common/domain/records.js';

/** An ordered event, and who was given keys of what. */
export interface GivenEvent {
  readonly id: EventId;
  readonly given: readonly { readonly recipient: MemberId; readonly sections: readonly string[] }[];
}

/**
 * Whom a seal names: everybody the ledger says was given keys of what is covered, with each one's events (S4). Who was
 * given nothing of it is no holder (S11).
 *
 * @returns by recipient
 */
export function holdersOf(events: readonly GivenEvent[], taken: Cover): readonly SealHolder[] {
  const held = new Map<MemberId, EventId[]>();
  for (const { id, given } of events) {
    const covered = given.filter((one) => meets(taken, one));
    for (const recipient of new Set(covered.map((one) => one.recipient))) {
      const ids = held.get(recipient) ?? [];
      held.set(recipient, ids);
      ids.push(id);
    }
  }
  return [...held]
    .map(([recipient, ids]) => ({ recipient, ids }))
    .sort((a, b) => (a.recipient < b.recipient ? -1 : 1));
}
