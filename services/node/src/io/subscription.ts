import { setImmediate as turn } from 'node:timers/promises';
import { isCategoryPattern, matchesCategory } from '@concordat/common/domain/category.js';
import { fieldError } from '@concordat/common/domain/errors.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import { grouped } from '@concordat/common/io/store/packed.js';
import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import { cursorAfter, parseCursor } from '../domain/cursor.js';
import type { NodeContext } from '../flows/context.js';
import type { LeaseDesk } from '../flows/leases/lease-desk.js';
import { demandSystem } from '../flows/systems.js';
import type { Notice } from './state/notice-log.js';
import type { NationalSystem } from './state/systems-table.js';

type SubscribeRequest = concordat.node.v1.SubscribeRequest;
type WireNotice = concordat.node.v1.Notice;

/** Notices read at once: all that a subscriber, however slow, costs in memory. */
const PAGE = 200;

interface Told {
  readonly context: NodeContext;
  /** of each origin that lends keys */
  readonly desks: ReadonlyMap<MemberId, Pick<LeaseDesk, 'want'>>;
}

/**
 * Tells of events that become readable for the purpose, or are withdrawn; content is only ever read by Read. Pages come
 * from the log of notices when the stream has taken the one before, so that nothing waits in memory, and what is told
 * after a cursor does not depend on who was listening when.
 */
export async function* subscribe(
  { context, desks }: Told,
  request: SubscribeRequest,
  signal: AbortSignal,
): AsyncGenerator<WireNotice> {
  const pattern = request.category === '' ? '**' : request.category;
  if (!isCategoryPattern(pattern)) {
    throw fieldError('REQUEST_INVALID', 'category', 'expected a pattern, listing.*.entity');
  }
  const { notices, state } = context;
  const system = request.systemId === '' ? undefined : demandSystem(context, request.systemId);
  const concerned = { purpose: request.purpose, pattern, system };
  const { epoch } = state.notices.place();
  let after = startOf(context, request, system);
  while (!signal.aborted) {
    const page = state.notices.after(after, PAGE);
    askForLeases({ context, desks }, concerned, page);
    for (const notice of page) {
      after = notice.number;
      if (concerns(context, concerned, notice)) yield wireNotice(notice, epoch);
    }
    // nothing can be written between an empty page and this wait; and a page that concerns nobody holds up nobody
    await (page.length === 0 ? notices.next(signal) : turn());
  }
}

/** Who is told of an event reads it next: keys that are only lent are asked for in one request for the page. */
function askForLeases(
  { context, desks }: Told,
  concerned: Concerned,
  page: readonly Notice[],
): void {
  const readable = page.filter(({ kind }) => kind === 'READABLE');
  for (const [origin, some] of grouped(readable, (one) => one.origin)) {
    const ids = some.map(({ id }) => id);
    const leased = context.data.leasedAmong(origin, ids);
    const these = some.filter((one) => leased.has(one.id) && concerns(context, concerned, one));
    desks.get(origin)?.want(these.map(({ id }) => id));
  }
}

/** The number of the notice after which to begin. */
function startOf(
  { state }: NodeContext,
  { cursor, includeHeld }: SubscribeRequest,
  system: NationalSystem | undefined,
): number {
  const place = state.notices.place();
  if (cursor !== '') {
    const number = parseCursor(cursor, place);
    if (number.ok) return number.value;
    throw number.error;
  }
  return system?.cursor ?? (includeHeld ? 0 : place.newest);
}

interface Concerned {
  readonly purpose: string;
  readonly pattern: string;
  readonly system: NationalSystem | undefined;
}

/** A withdrawal is told to everybody who may have been told of the event, and to whoever has to answer for it. */
function concerns(
  context: NodeContext,
  { purpose, pattern, system }: Concerned,
  { kind, origin, id, category }: Notice,
): boolean {
  if (kind === 'WITHDRAWN' && system?.kind === 'copy') return true;
  if (!matchesCategory(pattern, category)) return false;
  if (kind === 'WITHDRAWN') return true;
  const facts = context.recent.get(origin, id);
  return facts !== undefined && (facts.purposes ?? facts.header.purposes).includes(purpose);
}

function wireNotice(notice: Notice, epoch: Uint8Array): WireNotice {
  const { number, kind, origin, id, category, reason } = notice;
  return { kind, origin, eventId: id, category, reason, cursor: cursorAfter(number, epoch) };
}
