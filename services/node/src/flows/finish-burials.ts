import { grouped } from '@concordat/common/io/store/packed.js';
import { DELETION } from '../domain/purge/order-of-commits.js';
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
  const { state } = context;
  let finished = finishSections(context);
  for (;;) {
    const events = state.tombstones.unfinished(BATCH);
    if (events.length === 0) return finished;
    const held = heldOf(state, events);
    const deleted = held.length === 0 ? events : events.filter((one) => !held.includes(one));
    for (const step of DELETION) DELETE[step](context, { events, held, deleted });
    finished += events.length;
  }
}

interface Batch {
  readonly events: readonly EventKey[];
  /** those of them that the law keeps */
  readonly held: readonly EventKey[];
  /** all others */
  readonly deleted: readonly EventKey[];
}

const DELETE: Readonly<
  Record<(typeof DELETION)[number], (context: NodeContext, batch: Batch) => void>
> = {
  leases({ leases, recent }, { events }) {
    leases.end(events);
    for (const { origin, id } of events) recent.forget(origin, id);
  },
  keys({ vault }, { deleted }) {
    vault.delete(deleted);
  },
  rows({ data }, { held, deleted }) {
    data.delete(deleted);
    data.setHeld(held);
  },
  journals({ vault, data }) {
    vault.settle();
    data.settle();
  },
  finished({ state }, { events }) {
    state.db.transaction(() => state.tombstones.finish(events));
  },
};

function heldOf({ holds }: NodeContext['state'], events: readonly EventKey[]): EventKey[] {
  return [...grouped(events, ({ origin }) => origin)].flatMap(([origin, some]) => {
    const held = holds.among(
      origin,
      some.map(({ id }) => id),
    );
    return some.filter(({ id }) => held.has(id));
  });
}
