import { lengthPrefixed, sha256, uint32, utf8 } from '@concordat/common/domain/bytes.js';
import { type EventId, type OrderId, idBytes, orderIdOf } from '@concordat/common/domain/ids.js';

/** What one order may cover. */
export const ORDER_EVENTS_MAX = 2_000;
/**
 * What an order's certificate may come to, in bytes: verifiers read 16 MiB, and times of answers, names and chains of several
 * blocks are not known yet.
 */
const CERTIFICATE_BYTES = 12 * 1024 ** 2;
/** Of one event and one holder, or of the event itself; measured: 1,000 events with ten holders come to 6.8 MB. */
const PROOF_BYTES = 680;
/** A purge of more is for several purges. */
export const PARTS_MAX = 1_024;

/** Events that the same members hold. */
export interface HeldEvents {
  readonly ids: readonly EventId[];
  readonly holders: readonly string[];
}

/** What a purge would take, and from whom. */
export interface PurgePlan {
  readonly events: number;
  /** the events of each order, in the order in which they were found */
  readonly orders: readonly (readonly EventId[])[];
  readonly needsSecondPerson: boolean;
  readonly holders: readonly { readonly member: string; readonly events: number }[];
  /** whose keys nobody was ever given */
  readonly heldByNobody: number;
}

/** @param approvalsAbove events that one person may take back alone within 24 hours, in however many orders */
export function planPurge(found: readonly HeldEvents[], approvalsAbove: number): PurgePlan {
  const ids = found.flatMap((some) => some.ids);
  const counts = new Map<string, number>();
  for (const { ids: some, holders } of found) {
    for (const member of holders) counts.set(member, (counts.get(member) ?? 0) + some.length);
  }
  return {
    events: ids.length,
    orders: splitEvenly(ids, orderEventsMax(counts.size)),
    needsSecondPerson: ids.length > approvalsAbove,
    holders: [...counts]
      .map(([member, events]) => ({ member, events }))
      .sort((one, other) => (one.member < other.member ? -1 : 1)),
    heldByNobody: found
      .filter(({ holders }) => holders.length === 0)
      .reduce((sum, { ids: some }) => sum + some.length, 0),
  };
}

/** The more members hold events, the fewer fit into a certificate that verifiers read. */
export function orderEventsMax(holders: number): number {
  const most = Math.floor(CERTIFICATE_BYTES / (PROOF_BYTES * (holders + 1)));
  return Math.max(1, Math.min(ORDER_EVENTS_MAX, most));
}

/** As few orders as possible, and of one size: a small rest would need fewer people than the purge that it belongs to. */
function splitEvenly(ids: readonly EventId[], most: number): EventId[][] {
  const parts = Math.ceil(ids.length / most);
  const size = Math.ceil(ids.length / parts);
  return Array.from({ length: parts }, (_, at) => ids.slice(at * size, (at + 1) * size));
}

/**
 * A purge of many orders is known by its first one: the ids of the others follow from it, so that whoever knows one finds all.
 *
 * @param part 0 for the first one itself
 */
export function partId(first: OrderId, part: number): OrderId {
  if (part === 0) return first;
  const label = utf8('concordat purge part v1');
  const hash = sha256(lengthPrefixed(label, idBytes(first), uint32(part)));
  const id = orderIdOf(hash.subarray(0, 16));
  if (!id.ok) throw new TypeError('expected 16 bytes');
  return id.value;
}

export function partIds(first: OrderId, parts: number = PARTS_MAX): OrderId[] {
  return Array.from({ length: parts }, (_, part) => partId(first, part));
}
