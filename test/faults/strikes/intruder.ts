import kafkajs, { type Consumer } from 'kafkajs';
import { pick } from '../world.js';

const JOINED_MS_MAX = 20_000;

/** A stranger in somebody's group: it is given some of the lanes, and does nothing with them. */
export interface Intruder {
  readonly group: string;
  leave(): Promise<void>;
}

/**
 * Joins one of the groups in which services read. Each of them has one reader only, so no rebalance comes by itself but with a
 * session that ends; a second one forces it, when it comes and when it goes.
 *
 * @param mayBe tells by its name whether a group will do
 * @param part 0 to 1, chooses among them
 * @returns undefined when there is none, or it is over before we are in
 */
export async function intrude(
  brokers: readonly string[],
  mayBe: (group: string) => boolean,
  part: number,
): Promise<Intruder | undefined> {
  const kafka = new kafkajs.Kafka({
    brokers: [...brokers],
    clientId: 'intruder',
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const found = await groupToJoin(kafka, mayBe, part);
  if (!found) return undefined;
  const consumer = kafka.consumer({ groupId: found.group, allowAutoTopicCreation: false });
  const others = new Promise<boolean>((resolve) => {
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      // who is given everything is alone: the reader had died, and its session was not over yet
      const given = Object.values(payload.memberAssignment).flat().length;
      resolve(given < found.lanes);
    });
    consumer.on(consumer.events.CRASH, () => resolve(false));
    setTimeout(() => resolve(false), JOINED_MS_MAX).unref();
  });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: found.topics });
    await consumer.run({ autoCommit: false, eachBatch: async () => undefined });
    if (await others) return { group: found.group, leave: () => leave(consumer) };
  } catch {
    // its coordinator was struck meanwhile
  }
  await leave(consumer);
  return undefined;
}

async function groupToJoin(
  kafka: kafkajs.Kafka,
  mayBe: (group: string) => boolean,
  part: number,
): Promise<
  { readonly group: string; readonly topics: string[]; readonly lanes: number } | undefined
> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const { groups } = await admin.listGroups();
    const ids = groups.map(({ groupId }) => groupId).filter(mayBe);
    if (ids.length === 0) return undefined;
    const described = await admin.describeGroups(ids);
    const stable = described.groups.filter(({ state }) => state === 'Stable');
    if (stable.length === 0) return undefined;
    const { groupId, members } = pick(stable, part);
    const metadata = members[0]?.memberMetadata;
    const decoded = metadata && kafkajs.AssignerProtocol.MemberMetadata.decode(metadata);
    if (!decoded) return undefined;
    const { topics } = await admin.fetchTopicMetadata({ topics: decoded.topics });
    const lanes = topics.reduce((sum, { partitions }) => sum + partitions.length, 0);
    return { group: groupId, topics: decoded.topics, lanes };
  } catch {
    return undefined;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

async function leave(consumer: Consumer): Promise<void> {
  await consumer.disconnect().catch(() => undefined);
}
