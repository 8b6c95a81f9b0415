import { type Approvals, approvalProblem } from '@concordat/common/domain/approvals.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId, UnixMs } from '@concordat/common/domain/ids.js';
import { isWhole, mayOrder } from '@concordat/common/domain/purge-order.js';
import type { Verified } from '@concordat/common/domain/statement.js';
import type { OwnEvent } from '../io/state/own-publications.js';
import type { NodeContext } from './context.js';

/** An order with those who stand behind it. */
export interface ApprovedOrder extends Verified<'PurgeOrder'> {
  readonly approvals: Approvals;
}

/**
 * May this order destroy keys? People order by their role; a rule's order counts only when the fact stands in our own rows.
 *
 * @param taken what other orders of the same commit purge
 * @returns the ordered events, where each was published
 * @throws ConcordatError ORDER_NOT_AUTHORISED, ORDER_NEEDS_APPROVAL, ORDER_INVALID
 */
export function checkOrder(
  { state, self, approvalsAbove }: NodeContext,
  approved: ApprovedOrder,
  taken: ReadonlySet<EventId>,
  nowMs: UnixMs,
): Map<EventId, OwnEvent> {
  const { value: order, key, approvals } = approved;
  const { reason, ids, supersededBy } = order;
  if (!mayOrder(key.role, reason)) {
    throw new ConcordatError(
      'ORDER_NOT_AUTHORISED',
      `reason ${reason} may not be ordered by role ${key.role}`,
    );
  }
  const lacking = approvalProblem(approved, approvals, approvalsAbove);
  if (lacking) throw lacking;
  if (!isWhole(order)) {
    throw new ConcordatError('ORDER_INVALID', 'expected all recipients and whole events');
  }
  const events = state.own.events(ids);
  const buried = state.tombstones.buriedAmong(self, ids);
  for (const id of ids) {
    const event = events.get(id);
    if (!event) throw new ConcordatError('ORDER_INVALID', 'covers an event not published here');
    if (buried.has(id) || taken.has(id)) {
      throw new ConcordatError('ORDER_INVALID', 'covers an event that is purged already');
    }
    if (reason === 'retention' && event.retainUntilMs > nowMs) {
      throw new ConcordatError('ORDER_NOT_AUTHORISED', 'the retention term is not over');
    }
  }
  if (events.size !== ids.length || events.size === 0) {
    throw new ConcordatError('ORDER_INVALID', 'expected at least one event, each once');
  }
  if (reason === 'superseded') {
    const [only] = ids;
    const successor = supersededBy === null ? undefined : state.own.event(supersededBy);
    if (ids.length !== 1 || !successor || successor.supersedes !== only) {
      throw new ConcordatError('ORDER_NOT_AUTHORISED', 'no published event supersedes this one');
    }
  }
  return events;
}
