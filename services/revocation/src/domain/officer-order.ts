import { equalBytes } from '@concordat/common/domain/bytes.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId, MemberId, OrderId } from '@concordat/common/domain/ids.js';
import {
  type Cover,
  coverProblem,
  isLeave,
  isRuleReason,
  leaveProblem,
} from '@concordat/common/domain/purge-order.js';
import type { PurgeOrder } from '@concordat/common/domain/records.js';
import { type Result, err, ok } from '@concordat/common/domain/result.js';
import type { CheckStatement, Verified } from '@concordat/common/domain/statement.js';

export const ORDER_IDS_MAX = 2_000;
const LATE = 'expected a deadline after the time of issue';

/** How an event stands here: not published by us, free, or taken back by an order already. */
export type Standing = 'unknown' | 'free' | 'ordered';

export interface OfficerOrderFacts {
  readonly statements: CheckStatement;
  readonly origin: MemberId;
  /** the federation's members besides the origin: who may be a recipient */
  readonly others: readonly MemberId[];
  readonly standing: (id: EventId) => Standing;
  readonly isLeaving: (member: MemberId) => boolean;
  /** the bytes of the order that stands here under this id */
  readonly known: (id: OrderId) => Uint8Array | undefined;
}

export interface OfficerOrder {
  readonly order: Verified<'PurgeOrder'>;
  /** the very same bytes stand here already */
  readonly isRepeated: boolean;
}

const FORGED: ReadonlySet<string> = new Set([
  'KEY_UNKNOWN',
  'KEY_ROLE_WRONG',
  'SENDER_NOT_TOPIC_OWNER',
  'SIGNATURE_INVALID',
]);

/**
 * Is this an order that a purge officer of ours may give, and about events of ours? (S3, D26)
 *
 * @returns ORDER_NOT_AUTHORISED for a signature that does not permit it, ORDER_INVALID for what it says
 */
export function readOfficerOrder(
  bytes: Uint8Array,
  facts: OfficerOrderFacts,
): Result<OfficerOrder, ConcordatError> {
  const order = facts.statements('PurgeOrder', bytes, { signer: facts.origin });
  if (!order.ok) return FORGED.has(order.error.code) ? err(notAuthorised(order.error)) : order;
  if (order.value.key.role !== 'purge-officer') {
    const message = `expected a purge officer's signature, came one by role ${order.value.key.role}`;
    return err(new ConcordatError('ORDER_NOT_AUTHORISED', message));
  }
  const known = facts.known(order.value.value.orderId);
  if (known && equalBytes(known, bytes)) return ok({ order: order.value, isRepeated: true });
  const problem = known
    ? 'expected a new order id, came the id of another order'
    : isLeave(order.value.value)
      ? leavingProblem(order.value.value, facts)
      : orderProblem(order.value, facts);
  if (problem !== undefined) return err(new ConcordatError('ORDER_INVALID', problem));
  return ok({ order: order.value, isRepeated: false });
}

function strangerIn(
  { recipients }: Cover,
  others: OfficerOrderFacts['others'],
): string | undefined {
  const stranger = recipients.find((one) => !others.includes(one));
  return stranger && `expected recipients of this federation, came ${stranger}`;
}

function leavingProblem(
  order: PurgeOrder,
  { others, isLeaving }: OfficerOrderFacts,
): string | undefined {
  const problem = leaveProblem(order) ?? strangerIn(order, others);
  if (problem !== undefined) return problem;
  if (order.deadlineMs <= order.issuedAtMs) return LATE;
  const leaver = order.recipients.find((member) => isLeaving(member));
  return leaver && `expected a member that stays, ${leaver} leaves already or has left`;
}

function notAuthorised(cause: ConcordatError): ConcordatError {
  return new ConcordatError('ORDER_NOT_AUTHORISED', `${cause.code}: ${cause.message}`, { cause });
}

function orderProblem(
  { value: order }: Verified<'PurgeOrder'>,
  { standing, others }: OfficerOrderFacts,
): string | undefined {
  const { ids, reason, issuedAtMs, deadlineMs } = order;
  if (isRuleReason(reason) || order.supersededBy !== null) {
    return `expected a reason that a person may give, came ${reason}`;
  }
  const problem = coverProblem(order.origin, order) ?? strangerIn(order, others);
  if (problem !== undefined) return problem;
  if (order.cause !== null)
    return 'expected an order of its own, came one that follows from another';
  if (deadlineMs <= issuedAtMs) return LATE;
  if (ids.length === 0 || ids.length > ORDER_IDS_MAX) {
    return `expected 1 to ${ORDER_IDS_MAX} events, came ${ids.length}`;
  }
  if (new Set(ids).size !== ids.length) return 'expected each event once';
  const unknown = ids.filter((id) => standing(id) === 'unknown').length;
  if (unknown > 0) {
    return `expected events published here, came ${unknown} of ${ids.length} that were not`;
  }
  const ordered = ids.filter((id) => standing(id) === 'ordered').length;
  if (ordered > 0) {
    return `expected events that no order covers yet, came ${ordered} of ${ids.length} that one covers`;
  }
  return undefined;
}
