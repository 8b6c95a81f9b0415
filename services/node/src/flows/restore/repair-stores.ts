import { grouped } from '@concordat/common/io/store/packed.js';
import { mendOf } from '../../domain/purge/mend.js';
import type { EventKey } from '../../io/data-store.js';
import type { EventState } from '../../io/data/tally.js';
import type { NodeContext } from '../context.js';
import { announce } from '../notices.js';

/** Rows or keys that are looked at together. */
const PAGE = 4_096;
const ANNOUNCED: ReadonlySet<EventState> = new Set(['readable', 'leased', 'published']);

/**
 * Rows and keys of what is purged are deleted once more, wherever they came back from (S7): an earlier copy of a store, a
 * backup. Their tombstones stand; call `finishBurials` next.
 */
export function deleteWhatCameBack(context: NodeContext): void {
  const { data, vault } = context;
  for (const page of pages((last) => data.repair.after(last, PAGE))) buryAgain(context, page);
  for (const page of pages((last) => vault.eventsAfter(last, PAGE))) buryAgain(context, page);
}

/** Rows that could be read and whose keys are lost with the vault: their origins are asked for them again. */
export function waitForLostKeys({ data, vault }: NodeContext): void {
  for (const page of pages((last) => data.repair.after(last, PAGE))) {
    const readable = page.filter(({ state }) => state === 'readable');
    for (const [origin, some] of grouped(readable, (one) => one.origin)) {
      const ids = some.map(({ id }) => id);
      const held = vault.heldAmong(origin, ids);
      data.repair.backToWaiting(
        origin,
        ids.filter((id) => mendOf({ row: 'readable', hasKeys: held.has(id) }) === 'ask for keys'),
      );
    }
  }
}

/** A log of notices that begins anew names everything that is held, so that subscribers and copy systems are told of it. */
export function announceHeld({ data, state }: NodeContext): void {
  if (state.notices.place().newest > 0) return;
  state.db.transaction(() => {
    for (const page of pages((last) => data.repair.after(last, PAGE))) {
      const held = page.filter(({ state }) => ANNOUNCED.has(state));
      for (const { origin, id } of held) {
        const row = data.find(origin, id);
        if (row) announce(state, origin, [row]);
      }
    }
  });
}

function buryAgain({ state }: NodeContext, page: readonly EventKey[]): void {
  for (const [origin, some] of grouped(page, (one) => one.origin)) {
    const ids = some.map(({ id }) => id);
    const buried = [...state.tombstones.buriedAmong(origin, ids)];
    if (buried.length > 0) state.tombstones.deleteAgain(buried.map((id) => ({ origin, id })));
    const inPart = [...state.sections.among(origin, ids).keys()];
    if (inPart.length > 0) state.sections.deleteAgain(inPart.map((id) => ({ origin, id })));
  }
}

/** Page by page, each after the last item of the one before; what is done to a page may take its items away. */
function* pages<Item extends EventKey>(
  after: (last: EventKey | undefined) => readonly Item[],
): Generator<readonly Item[]> {
  for (let last: Item | undefined; ;) {
    const page = after(last);
    if (page.length === 0) return;
    yield page;
    last = page.at(-1);
  }
}
