import { ConcordatError, asConcordatError } from '@concordat/common/domain/errors.js';
import type { CategoryCodec } from '@concordat/common/io/avro/category-codec.js';
import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import { StreamResults } from '../domain/stream-results.js';
import type { Draft } from '../domain/compose.js';
import type { Deriver } from '../flows/derive.js';
import type { Offer, Outcomes, Publisher } from '../flows/publish.js';
import { parseDraft } from './parse-draft.js';

type PublishRequest = concordat.node.v1.PublishRequest;
type PublishStreamRequest = concordat.node.v1.PublishStreamRequest;
type PublishStreamResponse = concordat.node.v1.PublishStreamResponse;

/** One answer tells of all of them, so it has a limit. */
const EVENTS_MAX = 100_000;
const EVENTS_PER_MESSAGE_MAX = 256;

interface StreamFlows {
  readonly categories: CategoryCodec;
  readonly publisher: Publisher;
  readonly deriver: Deriver;
}

/**
 * Publishes what a stream brings, and reads on only while the publisher has room: the sender is held back by flow
 * control, never refused for being fast.
 */
export async function publishStream(
  { categories, publisher, deriver }: StreamFlows,
  messages: AsyncIterable<PublishStreamRequest>,
  signal: AbortSignal,
): Promise<PublishStreamResponse> {
  const results = new StreamResults();
  const open = new OpenCount();
  const outcomes: Outcomes = {
    published: (position, published) => {
      results.set(position, published);
      open.remove();
    },
    failed: (position, cause) => {
      results.set(position, asConcordatError(cause));
      open.remove();
    },
  };
  for await (const { events } of messages) {
    demandCounts(events.length, results.count);
    // a message more than there is room for is let in whole
    while (!publisher.hasRoom) await publisher.roomChanged();
    // nobody waits for the answer any more; what is under way is published all the same
    if (signal.aborted) throw asConcordatError(signal.reason);
    let offers: Offer[] = [];
    for (const event of events) {
      const position = results.next();
      open.add();
      const draft = draftOf(categories, event, (cause) => outcomes.failed(position, cause));
      if (!draft) continue;
      const offer = { position, draft };
      const isDerived = draft.derivedFrom.parents.length > 0;
      if (draft.supersedes === null && !isDerived) {
        offers.push(offer);
        continue;
      }
      // the event that this one replaces may be a little ahead of it in the same stream
      publisher.offer(offers, outcomes);
      offers = [];
      void before(publisher, draft)
        .then(() => deriver.permit(draft))
        .then(
          (permitted) => publisher.offer([{ position, draft: permitted }], outcomes),
          (cause: unknown) => outcomes.failed(position, cause),
        );
    }
    publisher.offer(offers, outcomes);
  }
  await open.none();
  const { runs, ...rest } = results.summary();
  return { ...rest, runs: runs.map(({ number, ...run }) => ({ ...run, blockNumber: number })) };
}

/** Resolves when those events of this node have a block, or none any more, that the draft names. */
async function before(publisher: Publisher, { supersedes, derivedFrom }: Draft): Promise<void> {
  if (supersedes !== null) await publisher.settled(supersedes);
  for (const { id } of derivedFrom.parents) await publisher.settled(id);
}

function draftOf(
  categories: CategoryCodec,
  event: PublishRequest,
  refuse: (cause: unknown) => void,
): Draft | undefined {
  try {
    return parseDraft(categories, event);
  } catch (cause) {
    refuse(cause);
    return undefined;
  }
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
