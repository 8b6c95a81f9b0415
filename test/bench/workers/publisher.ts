import type { MemberId } from '@concordat/common/domain/ids.js';
import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import { type Place, connect } from '../connect.js';
import { makeContents, makeRequests } from '../events.js';
import { machineMs } from '../proc.js';
import { openLoop } from '../open-loop.js';

type PublishRequest = concordat.node.v1.PublishRequest;
type Connection = Awaited<ReturnType<typeof connect<'national'>>>;

const CALL = { timeoutMs: 120_000, waitForReady: true } as const;
/** Calls under way at once: enough to fill a block on every lane. */
const WIDTH = 2_048;

/** The national system of the origin: makes events, then publishes them. */
export function publisherCalls() {
  let connection: Connection | undefined;
  let prepared: readonly PublishRequest[] = [];

  const publish = async (request: PublishRequest): Promise<void> => {
    if (!connection) throw new TypeError('not connected');
    const answer = await connection.client.publish(request, CALL);
    if (answer.repeated) throw new Error(`${request.eventId} was published before`);
  };

  return {
    async connect(place: Place): Promise<void> {
      connection = await connect(place, 'national');
    },

    /** Makes events and holds them. @returns their ids */
    async prepare(about: {
      readonly count: number;
      readonly seed: number;
      readonly audience: readonly MemberId[];
    }): Promise<string[]> {
      prepared = makeRequests(makeContents(about.count, about.seed), about.audience);
      return prepared.map(({ eventId }) => eventId);
    },

    /** Publishes what is prepared as fast as the node takes it. @returns when the first was sent */
    async publishAll(): Promise<number> {
      const firstMs = machineMs();
      const queue = prepared.values();
      const lane = async (): Promise<void> => {
        for (const request of queue) await publish(request);
      };
      await Promise.all(Array.from({ length: WIDTH }, lane));
      return firstMs;
    },

    /** Publishes what is prepared at a steady rate, however long answers take. @returns when each was due */
    publishSteadily: (perSecond: number): Promise<number[]> =>
      openLoop(prepared, perSecond, publish),
  };
}
export type PublisherCalls = ReturnType<typeof publisherCalls>;
