import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { Clock } from '@concordat/common/domain/ports.js';
import type { CallOptions, ClientOf } from '@concordat/common/io/rpc/client.js';
import type { NationalService, concordat } from '@concordat/common/io/rpc/definitions.js';

type PublishRequest = concordat.node.v1.PublishRequest;
type PublishResponse = concordat.node.v1.PublishResponse;
type RefusedEvent = concordat.node.v1.RefusedEvent;

/** What one stream and one of its messages may carry; a message has 1 MiB, and an event other fields too. */
const STREAM_EVENTS_MAX = 100_000;
const MESSAGE_EVENTS_MAX = 256;
const MESSAGE_CONTENT_BYTES = 512 << 10;
/** A stream that broke is sent again: ids that were published get their first result. */
const ATTEMPTS = 5;
const AGAIN_MS = 500;

/** What became of one event; `position` counts from 0 through all of them. */
export type Outcome =
  | { readonly kind: 'published'; readonly position: number; readonly place: PublishResponse }
  | { readonly kind: 'refused'; readonly position: number; readonly refusal: RefusedEvent };

/** Publishes by streams, in the order given, and tells what became of each. @throws ConcordatError when no stream gets through */
export async function* publishMany(
  { node, clock }: { readonly node: ClientOf<typeof NationalService>; readonly clock: Clock },
  requests: readonly PublishRequest[],
  call: CallOptions,
  onSent: (count: number) => void,
): AsyncGenerator<Outcome> {
  for (let from = 0; from < requests.length; from += STREAM_EVENTS_MAX) {
    const some = requests.slice(from, from + STREAM_EVENTS_MAX);
    const answer = await again(clock, () =>
      node.publishStream(
        messagesOf(some, (count) => onSent(from + count)),
        call,
      ),
    );
    for (const outcome of outcomesOf(some, answer)) {
      yield { ...outcome, position: from + outcome.position };
    }
  }
}

async function again<T>(clock: Clock, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (cause) {
      const mayWork = cause instanceof ConcordatError && cause.code === 'PEER_UNAVAILABLE';
      if (!mayWork || attempt === ATTEMPTS) throw cause;
      await clock.sleep(AGAIN_MS);
    }
  }
}

function* messagesOf(requests: readonly PublishRequest[], onSent: (count: number) => void) {
  let events: PublishRequest[] = [];
  let bytes = 0;
  for (const [at, request] of requests.entries()) {
    const size = request.contentJson.length;
    if (events.length === MESSAGE_EVENTS_MAX || bytes + size > MESSAGE_CONTENT_BYTES) {
      if (events.length > 0) yield { events };
      onSent(at);
      events = [];
      bytes = 0;
    }
    events.push(request);
    bytes += size;
  }
  if (events.length > 0) yield { events };
}

/** In the order sent. */
export function outcomesOf(
  requests: readonly PublishRequest[],
  { runs, refusals }: concordat.node.v1.PublishStreamResponse,
): Outcome[] {
  const outcomes: Outcome[] = refusals.map((refusal) => {
    return { kind: 'refused', position: refusal.position, refusal };
  });
  for (const { first, count, leaf, ...place } of runs) {
    for (let nth = 0; nth < count; nth += 1) {
      const position = first + nth;
      const eventId = requests[position]?.eventId ?? '';
      const published = { eventId, ...place, leaf: leaf + nth };
      outcomes.push({ kind: 'published', position, place: published });
    }
  }
  return outcomes.sort((one, other) => one.position - other.position);
}
