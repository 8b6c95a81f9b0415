import { isCategoryPattern, matchesCategory } from '@concordat/common/domain/category.js';
import { ConcordatError, fieldError } from '@concordat/common/domain/errors.js';
import { parseHeader } from '@concordat/common/domain/header.js';
import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import type { NodeContext } from '../flows/context.js';
import type { Notice } from '../flows/notices.js';
import type { EventRow } from './data-store.js';

type SubscribeRequest = concordat.node.v1.SubscribeRequest;
type WireNotice = concordat.node.v1.Notice;

/** Notices that a slow subscriber may leave unread before its stream is ended. */
const NOTICES_MAX = 10_000;
/** Held events that are looked up at once. */
const PAGE = 500;

/** Tells of events that become readable for the purpose, or are withdrawn; content is only ever read by Read. */
export async function* subscribe(
  context: NodeContext,
  request: SubscribeRequest,
  signal: AbortSignal,
): AsyncGenerator<WireNotice> {
  const pattern = request.category === '' ? '**' : request.category;
  if (!isCategoryPattern(pattern)) {
    throw fieldError('REQUEST_INVALID', 'category', 'expected a pattern, listing.*.entity');
  }
  const queue: WireNotice[] = [];
  let wake = (): void => undefined;
  const onAbort = (): void => wake();
  const stop = context.notices.listen((notice) => {
    if (!concerns(context, request, pattern, notice)) return;
    queue.push(wireNotice(notice));
    wake();
  });
  signal.addEventListener('abort', onAbort);
  try {
    if (request.includeHeld) yield* held(context, request, pattern);
    while (!signal.aborted) {
      if (queue.length > NOTICES_MAX) {
        throw new ConcordatError('PEER_UNAVAILABLE', 'too many unread notices: subscribe again');
      }
      const next = queue.shift();
      if (next) yield next;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    stop();
  }
}

/** Page by page, so that a node of a million events answers as soon as one of ten. */
function* held(
  context: NodeContext,
  request: SubscribeRequest,
  pattern: string,
): Generator<WireNotice> {
  const { data, state } = context;
  for (let after: EventRow | undefined; ;) {
    const page = data.readableAfter(after, PAGE);
    for (const row of page) {
      const { origin, id, category } = row;
      if (
        !matchesCategory(pattern, category) ||
        !purposesOf(context, row).includes(request.purpose)
      )
        continue;
      if (!state.tombstones.isBuried(origin, id))
        yield { kind: 'READABLE', origin, eventId: id, category, reason: '' };
    }
    after = page.at(-1);
    if (!after) return;
  }
}

/** A withdrawal is told to everybody who may have been told of the event. */
function concerns(
  context: NodeContext,
  { purpose }: SubscribeRequest,
  pattern: string,
  { kind, origin, id, category }: Notice,
): boolean {
  if (!matchesCategory(pattern, category)) return false;
  if (kind === 'WITHDRAWN') return true;
  const row = context.data.find(origin, id);
  return row !== undefined && purposesOf(context, row).includes(purpose);
}

function purposesOf({ codec }: NodeContext, row: EventRow): readonly string[] {
  if (row.release) return row.release.purposes;
  const header = parseHeader(codec, row.header);
  return header.ok ? header.value.purposes : [];
}

function wireNotice({ kind, origin, id, category, reason }: Notice): WireNotice {
  return { kind, origin, eventId: id, category, reason: reason ?? '' };
}
