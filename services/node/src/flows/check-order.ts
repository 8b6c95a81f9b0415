import { type Approvals, approvalProblem } from '@concordat/common/domain/approvals.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId, MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import { coverProblem, isWhole, mayOrder } from '@concordat/common/domain/purge-order.js';
import type { PurgeOrder } from '@concordat/common/domain/records.js';
import type { Verified } from '@concordat/common/domain/statement.js';
import type { OwnEvent } from '../io/state/own-publications.js';
import { demandParentPurged } from './child-duties.js';
import type { NodeContext } from './context.js';
import { lossesAmong } from './scope-losses.js';

/** An order with those who stand behind it. */
export interface ApprovedOrder extends Verified<'PurgeOrder'> {
  readonly approvals: Approvals;
}

/**
 * May this order destroy keys? People order by their role; a rule's order counts only when the fact stands in our own rows.
 *
 * @param before of other orders of the same commit: what they purge everywhere (narrower ones are sealed before them), and
 *               how many events who signed this one took back alone, with those of the last 24 hours
 * @returns the ordered events, where each was published
 * @throws ConcordatError ORDER_NOT_AUTHORISED, ORDER_NEEDS_APPROVAL, ORDER_INVALID
 */
export function checkOrder(
  context: NodeContext,
  approved: ApprovedOrder,
  before: { readonly taken: ReadonlySet<EventId>; readonly alone: number },
  nowMs: UnixMs,
): Map<EventId, OwnEvent> {
  const { state, self, approvalsAbove } = context;
  const { value: order, key, approvals } = approved;
  const { reason, ids, supersededBy } = order;
  if (!mayOrder(key.role, reason)) {
    throw new ConcordatError(
      'ORDER_NOT_AUTHORISED',
      `reason ${reason} may not be ordered by role ${key.role}`,
    );
  }
  const { taken, alone } = before;
  const lacking = approvalProblem(approved, approvals, { above: approvalsAbove, alone });
  if (lacking) throw lacking;
  const isNarrow = !isWhole(order);
  if (isNarrow) demandNarrow(self, approved);
  if (key.role === 'revocation') demandKnownFact(context, order);
  const events = state.own.events(ids);
  const buried = state.tombstones.buriedAmong(self, ids);
  for (const id of ids) {
    const event = events.get(id);
    if (!event) throw new ConcordatError('ORDER_INVALID', 'covers an event not published here');
    if (buried.has(id) || (taken.has(id) && !isNarrow)) {
      throw new ConcordatError('ORDER_INVALID', 'covers an event that is purged already');
    }
    if (reason === 'retention' && event.retainUntilMs > nowMs) {
      throw new ConcordatError('ORDER_NOT_AUTHORISED', 'the retention term is not over');
    }
  }
  if (events.size !== ids.length || events.size === 0) {
    throw new ConcordatError('ORDER_INVALID', 'expected at least one event, each once');
  }
  if (order.sections.length > 0) demandSections(context, order);
  if (reason === 'scope_changed') demandOutOfScope(context, order, events, nowMs);
  if (reason === 'superseded') {
    const [only] = ids;
    const successor = supersededBy === null ? undefined : state.own.event(supersededBy);
    if (ids.length !== 1 || !successor || successor.supersedes !== only) {
      throw new ConcordatError('ORDER_NOT_AUTHORISED', 'no published event supersedes this one');
    }
  }
  return events;
}

/** Facts about an event end it for everybody. */
const WHOLE_REASONS: ReadonlySet<string> = new Set(['retention', 'superseded', 'parent_purged']);

function demandNarrow(self: MemberId, { value }: ApprovedOrder): void {
  const { reason } = value;
  if (WHOLE_REASONS.has(reason)) {
    const text = `expected all recipients and whole events for reason ${reason}`;
    throw new ConcordatError('ORDER_INVALID', text);
  }
  const problem = coverProblem(self, value);
  if (problem !== undefined) throw new ConcordatError('ORDER_INVALID', problem);
}

/** A rule's order counts only when its fact stands in our own rows. */
function demandKnownFact(context: NodeContext, order: PurgeOrder): void {
  const { reason } = order;
  if (reason === 'partner_withdrawn') demandLeaving(context, order);
  if (reason === 'parent_purged') demandParentPurged(context, order);
}

/**
 * A rule takes back only what one recipient holds and would be withheld from it now: decided again here, in the piece of work
 * that seals it. Not true any more, the order is over; what is true then is ordered anew.
 */
function demandOutOfScope(
  context: NodeContext,
  { ids, recipients, sections }: PurgeOrder,
  events: ReadonlyMap<EventId, OwnEvent>,
  nowMs: UnixMs,
): void {
  const [recipient, ...more] = recipients;
  if (recipient === undefined || more.length > 0) {
    throw new ConcordatError('ORDER_INVALID', 'expected one recipient for reason scope_changed');
  }
  const losses = lossesAmong(context, events, recipient, nowMs);
  const isLost = (id: EventId): boolean => {
    const lost = losses.get(id);
    if (!lost) return false;
    return (
      lost.length === 0 || (sections.length > 0 && sections.every((one) => lost.includes(one)))
    );
  };
  if (ids.every(isLost)) return;
  const text = `expected events that ${recipient} holds and that would be withheld from it now`;
  throw new ConcordatError('ORDER_INVALID', text);
}

/** A rule takes everything back only from who leaves; the fact is our own signed change. */
function demandLeaving({ state }: NodeContext, { recipients, sections }: PurgeOrder): void {
  const areLeaving =
    recipients.length > 0 && recipients.every((member) => state.membership.isLeaving(member));
  if (areLeaving && sections.length === 0) return;
  const text = 'expected a rule to take whole events back from members that leave';
  throw new ConcordatError('ORDER_NOT_AUTHORISED', text);
}

/** An order for a section that an event does not have is a slip, and would look like a purge. */
function demandSections({ recent, self }: NodeContext, { ids, sections }: PurgeOrder): void {
  for (const id of ids) {
    const names = recent.get(self, id)?.header.sections.map(({ name }) => name) ?? [];
    if (sections.some((name) => names.includes(name))) continue;
    const text = `expected a section that every ordered event has, came ${sections.join(', ')}`;
    throw new ConcordatError('ORDER_INVALID', `${text}; ${id} has ${names.join(', ')}`);
  }
}
