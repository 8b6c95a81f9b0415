import { eventIdOf, type EventId, type MemberId } from '@concordat/common/domain/ids.js';
import { finishBurials } from './finish-burials.js';
import { writeReceipts } from './honour-purge.js';
import type { NodeContext } from './context.js';

/**
 * Runs before anything is served: several files cannot commit as one, so what a crash left between two commits is
 * finished or dropped here. Purged events first, then what was never published, keys without a row, rows with keys.
 */
export function recover(context: NodeContext): void {
  finishBurials(context);
  writeReceipts(context);
  dropUnpublished(context);
  dropOrphanKeys(context);
}

function dropUnpublished({ self, data, state, vault }: NodeContext): void {
  const unpublished = data
    .ids()
    .filter(({ origin, id }) => origin === self && !state.ownEvent(id))
    .map(({ id }) => ({ origin: self, id }));
  if (unpublished.length === 0) return;
  vault.delete(unpublished);
  data.delete(unpublished);
}

function dropOrphanKeys({ data, vault }: NodeContext): void {
  const rows = new Map<string, { origin: MemberId; id: EventId; state: string }>();
  for (const row of data.ids()) rows.set(`${row.origin}/${row.id}`, row);
  const orphans = new Map<string, { origin: MemberId; id: EventId }>();
  const keyed = new Map<string, { origin: MemberId; id: EventId }>();
  for (const { origin, id: bytes } of vault.holdings()) {
    const id = eventIdOf(bytes);
    if (!id.ok) continue;
    const key = `${origin}/${id.value}`;
    const event = { origin: origin as MemberId, id: id.value };
    (rows.has(key) ? keyed : orphans).set(key, event);
  }
  if (orphans.size > 0) vault.delete([...orphans.values()]);
  for (const [key, { origin, id }] of keyed) {
    // keys are stored only after they were checked, so the row lacks nothing but this
    if (rows.get(key)?.state === 'waiting') data.setState(origin, id, 'readable');
  }
}
