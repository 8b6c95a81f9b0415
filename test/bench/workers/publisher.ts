import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import { type Place, connect } from '../connect.js';
import { makeRequests } from '../events.js';
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

  /** @returns the block that the event is in */
  const publish = async (request: PublishRequest): Promise<string> => {
    if (!connection) throw new TypeError('not connected');
    const { lane, blockNumber, repeated } = await connection.client.publish(request, CALL);
    if (repeated) throw new Error(`${request.eventId} was published before`);
    return `${String(lane)}/${String(blockNumber)}`;
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

    /** Publishes what is prepared as fast as the node takes it. @returns when the first was sent, and how many blocks it made */
    async publishAll(): Promise<{ readonly firstMs: number; readonly blocks: number }> {
      const firstMs = machineMs();
      const blocks = new Set<string>();
      const queue = prepared.values();
      const lane = async (): Promise<void> => {
        for (const request of queue) blocks.add(await publish(request));
      };
      await Promise.all(Array.from({ length: WIDTH }, lane));
      return { firstMs, blocks: blocks.size };
    },

    /** Publishes what is prepared at a steady rate, however long answers take. @returns when each was due */
    publishSteadily: (perSecond: number): Promise<number[]> =>
      openLoop(prepared, perSecond, async (request) => {
        await publish(request);
      }),
  };
}
export type PublisherCalls = ReturnType<typeof publisherCalls>;
