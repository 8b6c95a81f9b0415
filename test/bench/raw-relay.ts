import { randomBytes } from 'node:crypto';
import { connectKafka } from '@concordat/common/io/kafka/connection.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import type { WorkerProcess } from './children.js';
import type { Stage } from './stage.js';
import type { RawConsumerCalls } from './workers/raw-consumer.js';
import { PARTITIONS, type RawPlace, type RawWay } from './workers/raw-kafka.js';
import type { RawProducerCalls } from './workers/raw-producer.js';
import type { RawRelayCalls } from './workers/raw-relay.js';

export const SEND_SIZES = [50, 250, 500] as const;

/** The reference: producer → topic → relay → topic → consumer, a process each, one record an event. */
export interface RawRelay {
  readonly producer: WorkerProcess<RawProducerCalls>;
  readonly relay: WorkerProcess<RawRelayCalls>;
  readonly consumer: WorkerProcess<RawConsumerCalls>;
  /** @returns events per second from the first send to the last record at the consumer */
  run(count: number, sendSize: number): Promise<number>;
  close(): Promise<void>;
}

async function createTopics(stage: Stage, topics: readonly string[]): Promise<void> {
  const options = { brokers: stage.brokers, clientId: 'raw-topics' };
  const { asking } = connectKafka({ ...options, clock: systemClock, random: systemRandom });
  const admin = asking.admin();
  await admin.connect();
  await admin.createTopics({
    waitForLeaders: true,
    topics: topics.map((topic) => ({ topic, numPartitions: PARTITIONS, replicationFactor: 1 })),
  });
  await admin.disconnect();
}

async function openRawRelay(stage: Stage, way: RawWay): Promise<RawRelay> {
  const name = `raw-${randomBytes(6).toString('hex')}`;
  const place: RawPlace = { way, brokers: stage.brokers, first: `${name}-1`, second: `${name}-2` };
  await createTopics(stage, [place.first, place.second]);
  const consumer = await stage.worker<RawConsumerCalls>('raw-consumer');
  const relay = await stage.worker<RawRelayCalls>('raw-relay');
  const producer = await stage.worker<RawProducerCalls>('raw-producer');
  const workers = [consumer, relay, producer];
  await stage.unlessFailed(Promise.all(workers.map(({ calls }) => calls.connect(place))));
  return {
    ...{ producer, relay, consumer },
    run: async (count, sendSize) => {
      await relay.calls.setSendSize(sendSize);
      await consumer.calls.expect(await producer.calls.prepare(count));
      const firstMs = await stage.unlessFailed(producer.calls.sendAll(sendSize));
      const lastMs = await stage.unlessFailed(consumer.calls.last());
      return (count * 1_000) / (lastMs - firstMs);
    },
    close: async () => {
      await Promise.all(workers.map(({ child }) => child.stop()));
    },
  };
}

/** The reference both ways, each on topics and in processes of its own. */
export async function openRawRelays(stage: Stage): Promise<Readonly<Record<RawWay, RawRelay>>> {
  return { plain: await openRawRelay(stage, 'plain'), tuned: await openRawRelay(stage, 'tuned') };
}

/** The send size with which the reference is quickest, each tried twice, in turn. */
export async function bestSendSize(raw: RawRelay, count: number): Promise<number> {
  const best = new Map<number, number>();
  for (const size of [...SEND_SIZES, ...SEND_SIZES]) {
    best.set(size, Math.max(best.get(size) ?? 0, await raw.run(count, size)));
  }
  return [...best].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
}
