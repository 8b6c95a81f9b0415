import { ConcordatError, asConcordatError } from '@concordat/common/domain/errors.js';
import type { CategoryCodec } from '@concordat/common/io/avro/category-codec.js';
import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import { StreamResults } from '../domain/stream-results.js';
import type { Publisher } from '../flows/publish.js';
import { parseDraft } from './parse-draft.js';

type PublishRequest = concordat.node.v1.PublishRequest;
type PublishStreamRequest = concordat.node.v1.PublishStreamRequest;
type PublishStreamResponse = concordat.node.v1.PublishStreamResponse;

/** One answer tells of all of them, so it has a limit. */
const EVENTS_MAX = 100_000;
const EVENTS_PER_MESSAGE_MAX = 256;

/**
 * Publishes what a stream brings, and reads on only while the publisher has room: the sender is held back by flow
 * control, never refused for being fast.
 */
export async function publishStream(
  { categories, publisher }: { readonly categories: CategoryCodec; readonly publisher: Publisher },
  messages: AsyncIterable<PublishStreamRequest>,
  signal: AbortSignal,
): Promise<PublishStreamResponse> {
  const results = new StreamResults();
  const open = new OpenCount();
  for await (const { events } of messages) {
    demandCounts(events.length, results.count);
    for (const event of events) {
      while (!publisher.hasRoom) await publisher.roomChanged();
      // nobody waits for the answer any more; what is under way is published all the same
      if (signal.aborted) throw asConcordatError(signal.reason);
      const position = results.next();
      open.add();
      publishOne(categories, publisher, event).then(
        (published) => {
          results.set(position, published);
          open.remove();
        },
        (cause: unknown) => {
          results.set(position, asConcordatError(cause));
          open.remove();
        },
      );
    }
  }
  await open.none();
  const { runs, ...rest } = results.summary();
  return { ...rest, runs: runs.map(({ number, ...run }) => ({ ...run, blockNumber: number })) };
}

async function publishOne(categories: CategoryCodec, publisher: Publisher, event: PublishRequest) {
  const draft = parseDraft(categories, event);
  // the event that this one replaces may be a little ahead of it in the same stream
  if (draft.supersedes !== null) await publisher.settled(draft.supersedes);
  return publisher.publish(draft);
}

function demandCounts(inMessage: number, before: number): void {
  if (inMessage < 1 || inMessage > EVENTS_PER_MESSAGE_MAX) {
    const text = `events: expected 1 to ${String(EVENTS_PER_MESSAGE_MAX)} in a message`;
    throw new ConcordatError('REQUEST_INVALID', `${text}, came ${String(inMessage)}`);
  }
  if (before + inMessage > EVENTS_MAX) {
    const text = `events: expected at most ${String(EVENTS_MAX)} in a stream, came more`;
    throw new ConcordatError('REQUEST_INVALID', `${text}: send the rest in another stream`);
  }
}

/** How many events have no result yet: one number, rather than a list of promises. */
class OpenCount {
  #open = 0;
  #onNone = (): void => undefined;

  add(): void {
    this.#open += 1;
  }

  remove(): void {
    this.#open -= 1;
    if (this.#open === 0) this.#onNone();
  }

  none(): Promise<void> {
    return this.#open === 0
      ? Promise.resolve()
      : new Promise((resolve) => {
          this.#onNone = resolve;
        });
  }
}
