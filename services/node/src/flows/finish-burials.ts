import type { NodeContext } from './context.js';

const BATCH = 1_000;

/**
 * Deletes what tombstones cover: vault, then data, then both journals emptied; only then is an event finished. Runs
 * after every burial and, before the first read, at every start.
 *
 * @returns how many events were finished
 */
export function finishBurials({ state, vault, data, recent }: NodeContext): number {
  let finished = 0;
  for (;;) {
    const events = state.tombstones.unfinished(BATCH);
    if (events.length === 0) return finished;
    for (const { origin, id } of events) recent.forget(origin, id);
    vault.delete(events);
    data.delete(events);
    vault.settle();
    data.settle();
    state.db.transaction(() => {
      state.tombstones.finish(events);
    });
    finished += events.length;
  }
}
