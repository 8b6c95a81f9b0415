import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import { type Place, connect } from '../connect.js';
import { makeRequests } from '../events.js';
import { machineMs } from '../proc.js';
import { dueTimes, whenDue } from '../open-loop.js';

type PublishRequest = concordat.node.v1.PublishRequest;
type Connection = Awaited<ReturnType<typeof connect<'national'>>>;

const CALL = { timeoutMs: 120_000, waitForReady: true } as const;
/** Events of one message of a stream: the most it may hold. */
const MESSAGE_EVENTS = 256;

interface Message {
  readonly events: PublishRequest[];
}

function* fullMessages(events: readonly PublishRequest[]): Generator<Message> {
  for (let at = 0; at < events.length; at += MESSAGE_EVENTS) {
    yield { events: events.slice(at, at + MESSAGE_EVENTS) };
  }
}

async function* oneByOne(events: AsyncIterable<PublishRequest>): AsyncGenerator<Message> {
  for await (const event of events) yield { events: [event] };
}

/** The national system of the origin: makes events, then publishes them in a stream that it holds open. */
export function publisherCalls() {
  let connection: Connection | undefined;
  let prepared: readonly PublishRequest[] = [];

  /** @returns how many blocks hold them, once the node has answered for every one */
  const publish = async (messages: Iterable<Message> | AsyncIterable<Message>): Promise<number> => {
    if (!connection) throw new TypeError('not connected');
    const answer = await connection.client.publishStream(messages, CALL);
    if (answer.published !== prepared.length) {
      const [first] = answer.refusals;
      const why = first ? `: ${first.code} ${first.field} ${first.message}` : '';
      throw new Error(`published ${answer.published} of ${prepared.length}${why}`);
    }
    return new Set(answer.runs.map(({ lane, blockNumber }) => `${lane}/${blockNumber}`)).size;
  };

  return {
    async connect(place: Place): Promise<void> {
      connection = await connect(place, 'national');
    },

    /** Makes events and holds them. @returns their ids */
    async prepare(count: number): Promise<string[]> {
      prepared = makeRequests(count);
      return prepared.map(({ eventId }) => eventId);
    },

    /** Publishes what is prepared as fast as the node takes it. @returns when it began, and how many blocks it made */
    async publishAll(): Promise<{ readonly firstMs: number; readonly blocks: number }> {
      const firstMs = machineMs();
      return { firstMs, blocks: await publish(fullMessages(prepared)) };
    },

    /** Publishes what is prepared at a steady rate, each event in a message of its own. @returns when each was due */
    async publishSteadily(perSecond: number): Promise<number[]> {
      const dueMs = dueTimes(prepared.length, perSecond);
      await publish(oneByOne(whenDue(prepared, dueMs)));
      return dueMs;
    },
  };
}
export type PublisherCalls = ReturnType<typeof publisherCalls>;
