import type { NodeContext } from './context.js';
import { finishSections } from './finish-sections.js';

const BATCH = 1_000;

/**
 * Deletes what tombstones cover: vault, then data, then both journals emptied; only then is an event finished. Runs
 * after every burial and, before the first read, at every start.
 *
 * @returns how many events were finished
 */
export function finishBurials(context: NodeContext): number {
  const { state, vault, data, recent } = context;
  let finished = finishSections(context);
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
