import kafkajs from 'kafkajs';
import { until } from './until.js';

/** What an operator may do to topics, by the broker's own means: not by the code under test. */
export interface Topics {
  createTopic(
    lanes: number,
    name: string,
    settings?: Readonly<Record<string, string>>,
  ): Promise<string>;
  deleteTopic(topic: string): Promise<void>;
  /** All but the broker's own: for a broker that belongs to one test. */
  deleteAll(): Promise<void>;
  deleteRecordsBefore(topic: string, lane: number, low: bigint): Promise<void>;
  close(): Promise<void>;
}

export async function openTopics(brokers: readonly string[]): Promise<Topics> {
  const kafka = new kafkajs.Kafka({
    brokers: [...brokers],
    clientId: 'operator',
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const admin = kafka.admin();
  await admin.connect();
  const exists = async (topic: string): Promise<boolean> =>
    (await admin.listTopics()).includes(topic);
  return {
    createTopic: async (lanes, name, settings = {}) => {
      const configEntries = Object.entries(settings).map(([key, value]) => ({ name: key, value }));
      const create = (): Promise<boolean> =>
        admin
          .createTopics({
            topics: [{ topic: name, numPartitions: lanes, replicationFactor: 1, configEntries }],
            waitForLeaders: true,
          })
          .catch(() => false);
      // false says as well that an attempt before was done although its answer came too late
      await until(`${name} is created`, async () => (await create()) || (await exists(name)));
      return name;
    },
    deleteTopic: async (topic) => {
      await admin.deleteTopics({ topics: [topic] });
      await until(`${topic} is gone`, async () => !(await exists(topic)));
    },
    deleteAll: async () => {
      const ours = async (): Promise<string[]> =>
        (await admin.listTopics()).filter((topic) => !topic.startsWith('__'));
      await admin.deleteTopics({ topics: await ours() });
      await until('all topics are gone', async () => (await ours()).length === 0);
    },
    deleteRecordsBefore: async (topic, lane, low) => {
      const partitions = [{ partition: lane, offset: String(low) }];
      await admin.fetchTopicOffsets(topic); // else kafkajs does not know the lane's leader
      await admin.deleteTopicRecords({ topic, partitions });
    },
    close: () => admin.disconnect(),
  };
}
