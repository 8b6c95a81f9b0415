import type { EventId, MemberId, OrderId } from '@concordat/common/domain/ids.js';
import type { NodeContext } from './context.js';
import { withdraw } from './notices.js';

const BATCH = 500;

/**
 * For the commit that takes a cover's sections back: tombstones, and subscribers are told that the event is withdrawn. What
 * is left of it is told again by `tellWhatIsLeft`, so a copy system deletes its copy first.
 */
export function burySections(
  { state, clock }: NodeContext,
  origin: MemberId,
  ids: readonly EventId[],
  { orderId, sections }: { readonly orderId: OrderId; readonly sections: readonly string[] },
): void {
  withdraw(state, origin, ids, 'PURGED');
  state.sections.bury(origin, ids, sections, { orderId, atMs: clock.nowMs() });
}

/**
 * Deletes keys and ciphertexts of sections that are taken back and no law keeps, and both journals; an event without any left
 * goes whole.
 */
export function finishSections({ state, vault, leases, data }: NodeContext): number {
  let finished = 0;
  for (;;) {
    const events = state.sections.unfinished(BATCH);
    if (events.length === 0) return finished;
    for (const { origin, id } of events) {
      const gone = state.sections.of(origin, id);
      leases.endSections(origin, id, gone);
      if (state.holds.find(origin, id)) continue; // unread, and kept until it is released
      vault.deleteSections({ origin, id, orderIds: state.sections.ordersOf(origin, id) }, gone);
      data.deleteSections(origin, id, gone);
    }
    vault.settle();
    data.settle();
    state.db.transaction(() => state.sections.finish(events));
    finished += events.length;
  }
}

/** What is left of an event may be read again, and subscribers are told, once no copy system owes an answer for it. */
export function tellWhatIsLeft({ state, data, notices }: NodeContext): void {
  for (;;) {
    const events = state.sections.untold(BATCH);
    if (events.length === 0) return;
    state.db.transaction(() => {
      for (const { origin, id } of events) {
        const row = state.tombstones.isBuried(origin, id) ? undefined : data.find(origin, id);
        if (row?.state === 'readable' || row?.state === 'leased') {
          state.notices.readableAgain(origin, id);
        }
      }
      state.sections.told(events);
    });
    notices.wake();
  }
}
