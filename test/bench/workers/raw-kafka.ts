import kafkajs, { type Kafka, type KafkaMessage } from 'kafkajs';

/** As many as our own topics have lanes. */
export const PARTITIONS = 12;

/** How the reference uses kafkajs: as it comes, or tuned as far as it goes. */
export type RawWay = 'plain' | 'tuned';

interface Tuning {
  /** sends under way at once */
  readonly width: number;
  /** partitions that a consumer hands over at once */
  readonly partitionsAtOnce: number;
  /** are partitions chosen by hand, so that a send is one batch? Else kafkajs spreads records by their keys */
  readonly choosesPartitions: boolean;
  /** how often positions are committed; null: with every batch */
  readonly commitEveryMs: number | null;
}

export const TUNING: Readonly<Record<RawWay, Tuning>> = {
  plain: { width: 1, partitionsAtOnce: 1, choosesPartitions: false, commitEveryMs: null },
  tuned: {
    ...{ width: 4, partitionsAtOnce: PARTITIONS },
    ...{ choosesPartitions: true, commitEveryMs: 1_000 },
  },
};

export interface RawPlace {
  readonly way: RawWay;
  readonly brokers: readonly string[];
  /** producer → first → relay → second → consumer */
  readonly first: string;
  readonly second: string;
}

export function rawKafka({ brokers }: RawPlace, clientId: string): Kafka {
  return new kafkajs.Kafka({
    brokers: [...brokers],
    clientId,
    logLevel: kafkajs.logLevel.NOTHING, // a coordinator that is not ready yet is no news; the end of a reader is
  });
}

/** Reads whole batches of all partitions. Resolves once it has its partitions. */
export async function rawConsumer(
  kafka: Kafka,
  { topic, way }: { readonly topic: string; readonly way: RawWay },
  take: (batch: readonly KafkaMessage[], partition: number) => Promise<void> | void,
): Promise<void> {
  const { partitionsAtOnce, commitEveryMs } = TUNING[way];
  const consumer = kafka.consumer({ groupId: `${topic}.reader` });
  const joined = new Promise<void>((resolve) => {
    consumer.on(consumer.events.GROUP_JOIN, () => resolve());
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) throw payload.error;
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommitInterval: commitEveryMs,
    partitionsConsumedConcurrently: partitionsAtOnce,
    eachBatch: async ({ batch }) => take(batch.messages, batch.partition),
  });
  await joined;
}
