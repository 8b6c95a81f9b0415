import { ConcordatError, fieldError } from '@concordat/common/domain/errors.js';
import type { EventId, MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import type { HeldEvent } from '../io/state/legal-holds.js';
import { finishAndAnswer } from './burials.js';
import type { NodeContext } from './context.js';

/**
 * Keeps an event of another member from being deleted here. Until it is purged it is read as before; from then on nobody
 * reads it, and its receipt stays open.
 *
 * @throws ConcordatError REQUEST_INVALID, EVENT_UNKNOWN, PURGED
 */
export function placeHold(context: NodeContext, asked: Omit<HeldEvent, 'placedAtMs'>): HeldEvent {
  const { state, data, clock, self } = context;
  const { origin, id, reviewAtMs } = asked;
  if (origin === self) {
    const problem = `expected an event of another member, ${self} keeps or orders back its own`;
    throw fieldError('REQUEST_INVALID', 'origin', problem);
  }
  const nowMs = clock.nowMs();
  if (reviewAtMs <= nowMs) {
    throw fieldError('REQUEST_INVALID', 'review_at_ms', 'expected a date that is still to come');
  }
  const before = state.holds.find(origin, id);
  if (!before && state.tombstones.isBuried(origin, id)) {
    throw new ConcordatError('PURGED', `event ${id} is taken back: there is nothing left to hold`);
  }
  if (!data.has(origin, id)) {
    throw new ConcordatError('EVENT_UNKNOWN', `expected an event held here, got ${id}`);
  }
  const hold = { ...asked, placedAtMs: before?.placedAtMs ?? nowMs };
  state.holds.place(hold);
  data.holds.keep(hold);
  return hold;
}

/**
 * Ends a hold. What was purged meanwhile is deleted at once, and answered for good.
 *
 * @throws ConcordatError HOLD_UNKNOWN
 */
export function releaseHold(context: NodeContext, origin: MemberId, id: EventId): HeldEvent {
  const { state, data, clock } = context;
  const hold = state.holds.find(origin, id);
  if (!hold)
    throw new ConcordatError('HOLD_UNKNOWN', `expected an event under legal hold, got ${id}`);
  // in this order: what a crash leaves in the state is kept in the data again at the next start
  data.holds.drop(origin, id);
  state.db.transaction(() => {
    state.holds.release(origin, [id], clock.nowMs());
    if (state.tombstones.isBuried(origin, id)) state.tombstones.deleteAgain([{ origin, id }]);
    if (state.sections.of(origin, id).size > 0) state.sections.deleteAgain([{ origin, id }]);
  });
  finishAndAnswer(context);
  return hold;
}

/** After a loss of the state, and before anything is deleted: what the law keeps is kept. */
export function rememberHolds({ state, data }: NodeContext): void {
  state.db.transaction(() => {
    for (const hold of data.holds.all()) state.holds.remember(hold);
  });
  for (const hold of data.holds.all()) {
    if (!state.holds.find(hold.origin, hold.id)) data.holds.drop(hold.origin, hold.id);
  }
  for (const hold of state.holds.all()) data.holds.keep(hold);
}

/** Holds whose review should have been by now, the longest overdue first. */
export function overdueReviews({ state }: NodeContext, nowMs: UnixMs): readonly HeldEvent[] {
  return state.holds.all().filter(({ reviewAtMs }) => reviewAtMs < nowMs);
}
