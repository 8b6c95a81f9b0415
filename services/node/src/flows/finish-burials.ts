import { grouped } from '@concordat/common/io/store/packed.js';
import type { EventKey } from '../io/data-store.js';
import type { NodeContext } from './context.js';
import { finishSections } from './finish-sections.js';

const BATCH = 1_000;

/**
 * Deletes what tombstones cover and no law keeps: vault, then data, then both journals emptied; only then is an event
 * finished. Runs after every burial and, before the first read, at every start.
 *
 * @returns how many events were finished
 */
export function finishBurials(context: NodeContext): number {
  const { state, vault, leases, data, recent } = context;
  let finished = finishSections(context);
  for (;;) {
    const events = state.tombstones.unfinished(BATCH);
    if (events.length === 0) return finished;
    leases.end(events);
    for (const { origin, id } of events) recent.forget(origin, id);
    const held = heldOf(state, events);
    const deleted = held.length === 0 ? events : events.filter((one) => !held.includes(one));
    vault.delete(deleted);
    data.delete(deleted);
    data.setHeld(held);
    vault.settle();
    data.settle();
    state.db.transaction(() => {
      state.tombstones.finish(events);
    });
    finished += events.length;
  }
}

function heldOf({ holds }: NodeContext['state'], events: readonly EventKey[]): EventKey[] {
  return [...grouped(events, ({ origin }) => origin)].flatMap(([origin, some]) => {
    const held = holds.among(
      origin,
      some.map(({ id }) => id),
    );
    return some.filter(({ id }) => held.has(id));
  });
}
