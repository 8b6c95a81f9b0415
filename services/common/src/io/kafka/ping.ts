import kafkajs from 'kafkajs';

const PING_MS_MAX = 2_000;

/** Does a broker there answer, and know its controller? One attempt, for waiting on a start. */
export async function pingBroker(brokers: readonly string[]): Promise<boolean> {
  const kafka = new kafkajs.Kafka({
    brokers: [...brokers],
    clientId: 'concordat-ping',
    connectionTimeout: PING_MS_MAX,
    requestTimeout: PING_MS_MAX,
    retry: { retries: 0, initialRetryTime: 50 },
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    const { controller } = await admin.describeCluster();
    return controller !== null && controller >= 0;
  } catch {
    return false;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
