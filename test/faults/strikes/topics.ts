import kafkajs, { type Admin } from 'kafkajs';

/** One question to the cluster, on a connection of its own. */
export async function ask<T>(
  brokers: readonly string[],
  question: (admin: Admin) => Promise<T>,
): Promise<T> {
  const kafka = new kafkajs.Kafka({
    brokers: [...brokers],
    clientId: 'faults',
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await question(admin);
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/** Deletes what these lanes hold so far. @returns how many records went */
export async function deleteRecords(
  brokers: readonly string[],
  topic: string,
  lanes?: readonly number[],
): Promise<number> {
  return ask(brokers, async (admin) => {
    const ends = (await admin.fetchTopicOffsets(topic)).filter(
      ({ partition }) => lanes?.includes(partition) ?? true,
    );
    const partitions = ends.map(({ partition, high }) => ({ partition, offset: high }));
    await admin.deleteTopicRecords({ topic, partitions });
    return ends.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0);
  });
}
