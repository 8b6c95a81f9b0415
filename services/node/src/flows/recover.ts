import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import { grouped } from '@concordat/common/io/store/packed.js';
import { finishBurials } from './finish-burials.js';
import { writeReceipts } from './honour-purge.js';
import type { NodeContext } from './context.js';
import { announce } from './notices.js';

/** Rows that are looked at together. */
const PAGE = 1_000;

/**
 * Runs before anything is served: several files cannot commit as one, so what a crash left between two commits is
 * finished or dropped here. Purged events first, then rows with keys, what was never published, keys without a row.
 */
export function recover(context: NodeContext): void {
  finishBurials(context);
  writeReceipts(context);
  finishKeyAnswers(context);
  // after a clean stop the counts agree, and a million rows need not be gone through
  if (countsAgree(context)) return;
  dropUnpublished(context);
  dropOrphanKeys(context);
}

/** Keys are stored only after they were checked, and all of an event together, so the row lacks nothing but this. */
function finishKeyAnswers({ data, vault, state }: NodeContext): void {
  const keyed = data
    .idsIn('waiting')
    .filter(({ origin, id }) => vault.sectionsHeld(origin, id).length > 0);
  state.db.transaction(() => {
    for (const { origin, id } of keyed) {
      const row = data.find(origin, id);
      if (row) announce(state, origin, [row]);
    }
  });
  data.db.transaction(() => {
    for (const [origin, some] of grouped(keyed, (one) => one.origin)) {
      data.setReadable(
        origin,
        some.map(({ id }) => id),
      );
    }
  });
}

/** Every own event that is not sealed has its row, and every row that can be read has its keys. */
function countsAgree({ self, data, vault, state }: NodeContext): boolean {
  const published = state.own.count() - (state.tombstones.counts()[self] ?? 0);
  const rows = data.countByState();
  const count = (wanted: 'published' | 'readable'): number =>
    rows.filter(({ state }) => state === wanted).reduce((sum, { n }) => sum + n, 0);
  const readable = count('published') + count('readable');
  return count('published') === published && vault.countEvents() === readable;
}

function dropUnpublished({ self, data, state, vault }: NodeContext): void {
  const unpublished = data.idsIn('published').filter(({ id }) => !state.own.event(id));
  const events = unpublished.map(({ id }) => ({ origin: self, id }));
  vault.delete(events);
  data.delete(events);
}

function dropOrphanKeys({ data, vault }: NodeContext): void {
  let last: { readonly origin: MemberId; readonly id: EventId } | undefined;
  for (;;) {
    const page = vault.eventsAfter(last, PAGE);
    last = page.at(-1);
    if (!last) return;
    vault.delete(page.filter(({ origin, id }) => !data.has(origin, id)));
  }
}
