import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import { type Place, connect } from '../connect.js';
import { makeRequests } from '../events.js';
import { machineMs } from '../proc.js';
import { openLoop } from '../open-loop.js';

type PublishRequest = concordat.node.v1.PublishRequest;
type Connection = Awaited<ReturnType<typeof connect<'national'>>>;

const CALL = { timeoutMs: 120_000, waitForReady: true } as const;
/** Events of one message of a stream: the most it may hold. */
const MESSAGE_EVENTS = 256;

function* messages(requests: readonly PublishRequest[]): Generator<{ events: PublishRequest[] }> {
  for (let at = 0; at < requests.length; at += MESSAGE_EVENTS) {
    yield { events: requests.slice(at, at + MESSAGE_EVENTS) };
  }
}

/** The national system of the origin: makes events, then publishes them. */
export function publisherCalls() {
  let connection: Connection | undefined;
  let prepared: readonly PublishRequest[] = [];

  const opened = (): Connection['client'] => {
    if (!connection) throw new TypeError('not connected');
    return connection.client;
  };

  const publish = async (request: PublishRequest): Promise<void> => {
    const { repeated } = await opened().publish(request, CALL);
    if (repeated) throw new Error(`${request.eventId} was published before`);
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

    /** Publishes what is prepared in one stream, as fast as the node takes it. @returns when it began, and how many blocks it made */
    async publishAll(): Promise<{ readonly firstMs: number; readonly blocks: number }> {
      const firstMs = machineMs();
      const answer = await opened().publishStream(messages(prepared), CALL);
      if (answer.published !== prepared.length) {
        const [first] = answer.refusals;
        const why = first ? `: ${first.code} ${first.field} ${first.message}` : '';
        throw new Error(`published ${answer.published} of ${prepared.length}${why}`);
      }
      const blocks = answer.runs.map(({ lane, blockNumber }) => `${lane}/${blockNumber}`);
      return { firstMs, blocks: new Set(blocks).size };
    },

    /** Publishes what is prepared at a steady rate, however long answers take. @returns when each was due */
    publishSteadily: (perSecond: number): Promise<number[]> =>
      openLoop(prepared, perSecond, publish),
  };
}
export type PublisherCalls = ReturnType<typeof publisherCalls>;
