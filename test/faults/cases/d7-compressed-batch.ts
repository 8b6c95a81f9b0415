import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import kafkajs from 'kafkajs';
import { feedTopic } from '@concordat/common/domain/topics.js';
import { refuseCompression } from '@concordat/common/io/kafka/codecs.js';
import { peakRssMiB } from '#bench/proc.js';
import { ORIGIN, RECIPIENTS } from '../stage/federation.js';
import { ask, deleteRecords } from '../strikes/topics.js';
import type { World } from '../world.js';
import { untilTold, demand, publishSome, until } from './case.js';

const LANE = 5;
/** Zeros: a thousand times smaller when compressed. */
const RECORDS = 200;
const RECORD_BYTES = 1_000_000;
const EXTRA_MIB_MAX = 64;

/** A batch that would inflate to 200 MB: never inflated; when people have removed it the lane goes on. */
export async function compressedBatch(world: World): Promise<void> {
  const { stage, cluster, book, generations } = world;
  const [recipient] = RECIPIENTS;
  const topic = feedTopic({ origin: ORIGIN, recipient });
  book.taint(generations.name(topic, LANE));
  const node = stage.service(recipient, 'node');
  const loggedBefore = node.log().length;
  // one that was just started has not grown to its usual size yet: the other node is as much
  const peaks = RECIPIENTS.map((member) => peakRssMiB(stage.service(member, 'node').pid ?? 0));
  const beforeMiB = Math.max(...(await Promise.all(peaks)));
  await setCompression(cluster.direct, topic, 'producer');
  await sendBomb(cluster.direct, topic);
  await setCompression(cluster.direct, topic, 'uncompressed');
  let peakMiB = 0;
  await until('its reader refuses it', async () => {
    if (node.pid !== undefined) peakMiB = Math.max(peakMiB, await peakRssMiB(node.pid));
    return node.log().slice(loggedBefore).includes('COMPRESSION_REFUSED');
  });
  await deleteRecords(cluster.direct, topic, [LANE]);
  const events = await publishSome(world, 'after-the-bomb', 200);
  await untilTold(world, recipient, events);
  const extraMiB = Math.round(peakMiB - beforeMiB);
  demand(
    `at most ${String(EXTRA_MIB_MAX)} MiB more, came ${String(extraMiB)}`,
    extraMiB <= EXTRA_MIB_MAX,
  );
}

async function setCompression(
  brokers: readonly string[],
  topic: string,
  value: 'producer' | 'uncompressed',
): Promise<void> {
  await ask(brokers, async (admin) => {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }],
    });
    // the call replaces all of a topic's own settings
    const own = (resources[0]?.configEntries ?? []).filter(({ isDefault }) => !isDefault);
    const entries = own.map(({ configName, configValue }) => ({
      name: configName,
      value: configValue,
    }));
    const configEntries = entries.map((one) =>
      one.name === 'compression.type' ? { ...one, value } : one,
    );
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configEntries }],
    });
  });
}

async function sendBomb(brokers: readonly string[], topic: string): Promise<void> {
  const compress = promisify(gzip);
  kafkajs.CompressionCodecs[kafkajs.CompressionTypes.GZIP] = () => ({
    compress: ({ buffer }: { readonly buffer: Buffer }) => compress(buffer),
  });
  const kafka = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING });
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  try {
    await producer.connect();
    const value = Buffer.alloc(RECORD_BYTES);
    const messages = Array.from({ length: RECORDS }, () => ({ value, partition: LANE }));
    await producer.send({ topic, messages, compression: kafkajs.CompressionTypes.GZIP });
  } finally {
    await producer.disconnect();
    refuseCompression();
  }
}
