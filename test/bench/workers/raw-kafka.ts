import kafkajs, { type Consumer, type Kafka, type KafkaMessage } from 'kafkajs';

export interface RawPlace {
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

const FETCH_BYTES = 4_194_304;
const LANE_FETCH_BYTES = 1_048_576;
const FETCH_WAIT_MS = 100;
const COMMIT_EVERY_MS = 1_000;

/** Reads whole batches of all partitions, several partitions at once. Resolves once it has its partitions. */
export async function rawConsumer(
  kafka: Kafka,
  topic: string,
  take: (batch: readonly KafkaMessage[], partition: number) => Promise<void> | void,
): Promise<Consumer> {
  const consumer = kafka.consumer({
    groupId: `${topic}.reader`,
    minBytes: 1,
    maxBytes: FETCH_BYTES,
    maxBytesPerPartition: LANE_FETCH_BYTES,
    maxWaitTimeInMs: FETCH_WAIT_MS,
  });
  const joined = new Promise<void>((resolve) => {
    consumer.on(consumer.events.GROUP_JOIN, () => resolve());
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) throw payload.error;
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommitInterval: COMMIT_EVERY_MS,
    partitionsConsumedConcurrently: PARTITIONS,
    eachBatch: async ({ batch }) => take(batch.messages, batch.partition),
  });
  await joined;
  return consumer;
}

/** As many as our own topics have lanes. */
export const PARTITIONS = 12;
