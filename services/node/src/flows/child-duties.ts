import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId, UnixMs } from '@concordat/common/domain/ids.js';
import { isWhole } from '@concordat/common/domain/purge-order.js';
import type { PurgeOrder } from '@concordat/common/domain/records.js';
import { dutiesOf } from '../domain/purge/children.js';
import type { PendingEntry } from '../io/state/purge-entries.js';
import type { NodeContext } from './context.js';

/**
 * Own events that come from events of an entry have to go too, whole, however little of a parent it takes. For the commit
 * of the entry: what is published by then is a duty, and nothing can be published after it.
 */
export function oweChildren(
  { state, self }: NodeContext,
  entry: PendingEntry,
  { ids, timeMs }: { readonly ids: readonly EventId[]; readonly timeMs: UnixMs },
): void {
  const descents = state.derivations.descentsOf(self, entry.origin, ids);
  if (descents.length === 0) return;
  const published = state.own.events(descents.map(({ child }) => child));
  const duties = dutiesOf(descents, (child) => published.has(child));
  state.children.add(entry, timeMs, duties);
}

/**
 * A child order counts only when the entry that it cites obliges to it, by our own rows.
 *
 * @throws ConcordatError ORDER_NOT_AUTHORISED
 */
export function demandParentPurged({ state }: NodeContext, order: PurgeOrder): void {
  const { cause, ids } = order;
  const cited = new Set(cause?.parents);
  const parents = ids.map((id) =>
    cause ? state.children.parentsIn(cause, id).filter((parent) => cited.has(parent)) : [],
  );
  const areOwed = parents.every(({ length }) => length > 0);
  if (areOwed && isWhole(order) && new Set(parents.flat()).size === cited.size) return;
  const text = 'expected events derived from what the cited purge entry takes back';
  throw new ConcordatError('ORDER_NOT_AUTHORISED', text);
}
