import { equalBytes } from './bytes.js';
import { ConcordatError } from './errors.js';
import type { Hash } from './ids.js';
import { isLeave } from './purge-order.js';
import type { PurgeOrder, RecordCodec } from './records.js';
import { type Result, err } from './result.js';
import { type KeyDirectory, type Verified, verifyStatement } from './statement.js';

/** How many different people stand behind an order that needs more than its signer. */
export const PEOPLE_NEEDED = 2;

/** What one person may take back with nobody else within 24 hours, in events, and what this one did already. */
export interface AloneLimit {
  readonly above: number;
  readonly alone: number;
}

/** Keys of which nobody knows whose they are count as one person's. */
const NOBODY_KNOWN = '';

/** In whose count the events of an order stand: undefined when two people stand behind it, or a rule. */
export function orderedAloneBy(
  { key }: Pick<Verified<'PurgeOrder'>, 'key'>,
  { people }: Pick<Approvals, 'people'>,
): string | undefined {
  if (key.role !== 'purge-officer' || people.size >= PEOPLE_NEEDED) return undefined;
  return key.person ?? NOBODY_KNOWN;
}

/**
 * A person's order needs a second person when it takes more events than `above` together with those that this person took
 * back alone before, so that splitting an order helps nobody. One by which a member leaves always does; what a rule orders
 * is checked as a fact.
 */
export function needsSecondPerson(
  {
    key,
    value,
  }: Pick<Verified<'PurgeOrder'>, 'key'> & {
    readonly value: Pick<PurgeOrder, 'ids' | 'recipients' | 'sections'>;
  },
  { above, alone }: AloneLimit,
): boolean {
  return key.role === 'purge-officer' && (isLeave(value) || value.ids.length + alone > above);
}

export interface ApprovalFacts {
  readonly codec: RecordCodec;
  readonly keys: KeyDirectory;
}

const FORGED: ReadonlySet<string> = new Set([
  'KEY_UNKNOWN',
  'KEY_ROLE_WRONG',
  'SENDER_NOT_TOPIC_OWNER',
  'SIGNATURE_INVALID',
]);

/**
 * Is this another person's consent to exactly this order?
 *
 * @returns ORDER_NOT_AUTHORISED for a signature that permits nothing, APPROVAL_INVALID for another order or a key of which
 *          nobody knows whose it is, APPROVAL_SAME_PERSON for one by whoever signed the order
 */
export function readApproval(
  { codec, keys }: ApprovalFacts,
  order: Verified<'PurgeOrder'>,
  bytes: Uint8Array,
): Result<Verified<'PurgeApproval'>, ConcordatError> {
  const signer = order.value.origin;
  const approval = verifyStatement(codec, keys, 'PurgeApproval', bytes, { signer });
  if (!approval.ok) {
    const { code, message } = approval.error;
    return FORGED.has(code) ? refuse('ORDER_NOT_AUTHORISED', `${code}: ${message}`) : approval;
  }
  const { value, key } = approval.value;
  if (value.orderId !== order.value.orderId || !equalBytes(value.orderHash, order.hash)) {
    return refuse('APPROVAL_INVALID', 'expected an approval of this order, came one of another');
  }
  if (key.person === undefined) {
    const text = `expected a key with a person in federation.json, ${key.keyId} has none`;
    return refuse('APPROVAL_INVALID', text);
  }
  if (key.person === order.key.person) {
    const text = 'expected an approval by another person than signed the order';
    return refuse('APPROVAL_SAME_PERSON', `${text}, came one by ${key.person}`);
  }
  return approval;
}

function refuse(code: ConcordatError['code'], message: string): Result<never, ConcordatError> {
  return err(new ConcordatError(code, message));
}

export interface Approvals {
  /** Whoever signed the order, if anybody knows who that is, and whoever approved it. */
  readonly people: ReadonlySet<string>;
  /** Of the approvals that were counted, one for each further person. */
  readonly hashes: readonly Hash[];
}

/** Counts people, not keys: what is no approval, or one by somebody who was counted before, counts nothing. */
export function countApprovals(
  facts: ApprovalFacts,
  order: Verified<'PurgeOrder'>,
  approvals: readonly Uint8Array[],
): Approvals {
  const people = new Set(order.key.person === undefined ? [] : [order.key.person]);
  const hashes: Hash[] = [];
  for (const bytes of approvals) {
    const approval = readApproval(facts, order, bytes);
    const person = approval.ok ? approval.value.key.person : undefined;
    if (!approval.ok || person === undefined || people.has(person)) continue;
    people.add(person);
    hashes.push(approval.value.hash);
  }
  return { people, hashes };
}

/** Why an order may not destroy keys yet; undefined when it may. */
export function approvalProblem(
  order: Verified<'PurgeOrder'>,
  { people }: Pick<Approvals, 'people'>,
  limit: AloneLimit,
): ConcordatError | undefined {
  if (!needsSecondPerson(order, limit) || people.size >= PEOPLE_NEEDED) return undefined;
  const { above, alone } = limit;
  const events = `an order of ${String(order.value.ids.length)} events`;
  const before = alone > 0 ? `${events}, after ${String(alone)} by one person in 24 h` : events;
  const what = isLeave(order.value)
    ? "a member's leaving"
    : `${before} (more than ${String(above)})`;
  return new ConcordatError(
    'ORDER_NEEDS_APPROVAL',
    `expected ${String(PEOPLE_NEEDED)} people for ${what}, came ${String(people.size)}`,
  );
}
