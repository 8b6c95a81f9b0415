import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import kafkajs from 'kafkajs';
import { kafkaLogClient } from '@concordat/common/io/kafka/client.js';
import { refuseCompression } from '@concordat/common/io/kafka/codecs.js';
import type { LogClient, LogRecord } from '@concordat/common/io/log-client.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { type OwnBroker, sharedBrokers, startOwnBroker } from '../support/broker.js';
import { type Topics, openTopics } from '../support/topics.js';
import { until } from '../support/until.js';

function open(brokers: readonly string[]): LogClient {
  return kafkaLogClient({ brokers, clientId: 'faults', clock: systemClock, random: systemRandom });
}

function freshName(): string {
  return `faults-${randomBytes(6).toString('hex')}`;
}

test('a broker that is not there is BROKER_UNAVAILABLE and the message says where it was sought', async () => {
  const log = open(['127.0.0.1:1']);
  const calls = [
    log.send('events.un', 0, [{ value: new Uint8Array(1) }]),
    log.ends('events.un'),
    log.read({
      name: 'faults',
      topics: ['events.un'],
      position: () => 0n,
      handle: () => Promise.resolve(),
      onDeath: () => undefined,
    }),
  ];
  const refusal = {
    code: 'BROKER_UNAVAILABLE',
    retryable: true,
    message: expect.stringContaining('127.0.0.1:1'),
  };
  await Promise.all(calls.map((call) => expect(call).rejects.toMatchObject(refusal)));
  await log.close();
});

describe('a compressed batch', () => {
  let topics: Topics;
  let log: LogClient;

  beforeEach(async () => {
    topics = await openTopics(sharedBrokers());
    log = open(sharedBrokers());
  });
  afterEach(async () => {
    await log.close();
    await topics.close();
  });

  async function sendGzip(topic: string): Promise<void> {
    kafkajs.CompressionCodecs[kafkajs.CompressionTypes.GZIP] = () => ({
      compress: ({ buffer }: { readonly buffer: Buffer }) => Promise.resolve(gzipSync(buffer)),
    });
    const kafka = new kafkajs.Kafka({
      brokers: [...sharedBrokers()],
      logLevel: kafkajs.logLevel.NOTHING,
    });
    const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
    await producer.connect();
    const messages = Array.from({ length: 3 }, () => ({ value: Buffer.alloc(100_000) }));
    await producer.send({ topic, messages, compression: kafkajs.CompressionTypes.GZIP });
    await producer.disconnect();
    refuseCompression();
  }

  test('is never inflated by us: its reader dies of COMPRESSION_REFUSED', async () => {
    const topic = await topics.createTopic(1, freshName(), { 'compression.type': 'producer' });
    await sendGzip(topic);
    const deaths: Error[] = [];
    const records: LogRecord[] = [];
    await log.read({
      name: 'faults',
      topics: [topic],
      position: () => 0n,
      handle: async (batch) => void records.push(...batch),
      onDeath: (cause) => deaths.push(cause),
    });
    await until('its death', () => deaths.length > 0);
    expect(deaths).toEqual([expect.objectContaining({ code: 'COMPRESSION_REFUSED' })]);
    expect(records).toEqual([]);
  });

  test('is kept plain by the broker on a topic of ours', async () => {
    const topic = await topics.createTopic(1, freshName(), { 'compression.type': 'uncompressed' });
    await sendGzip(topic);
    const tails = await log.tails(topic);
    expect(tails.map(({ offset, value }) => [offset, value.length])).toEqual([[2n, 100_000]]);
  });
});

describe('a broker that is killed and comes back', () => {
  let broker: OwnBroker;
  let topics: Topics;
  let log: LogClient;

  beforeEach(async () => {
    broker = await startOwnBroker();
    topics = await openTopics([broker.address]);
    log = open([broker.address]);
  });
  afterEach(async () => {
    await log.close();
    await topics.close();
    await broker.dispose();
  });

  test('loses nothing that it acknowledged, and readers go on by themselves', async () => {
    const topic = await topics.createTopic(3, freshName());
    const deaths: Error[] = [];
    const seen = [new Set<number>(), new Set<number>(), new Set<number>()];
    await log.read({
      name: 'faults',
      topics: [topic],
      position: () => 0n,
      handle: async (batch) => {
        for (const { lane, value } of batch) seen[lane]?.add(Buffer.from(value).readUInt32BE());
      },
      onDeath: (cause) => deaths.push(cause),
    });

    let stopped = false;
    const acknowledged = [0, 0, 0];
    const writer = async (lane: number): Promise<void> => {
      for (let number = 0; !stopped;) {
        const value = Buffer.alloc(4);
        value.writeUInt32BE(number);
        const sent = await log.send(topic, lane, [{ value }]).then(
          () => true,
          () => false, // unknown: the same bytes go again
        );
        if (sent) acknowledged[lane] = ++number;
      }
    };
    const writers = [0, 1, 2].map(writer);
    await until('some traffic', () => acknowledged.every((count) => count > 50));
    await broker.kill();
    await broker.restart();
    const before = [...acknowledged];
    await until(
      'writing goes on',
      () => acknowledged.every((n, lane) => n > (before[lane] ?? 0) + 50),
      60_000,
    );
    stopped = true;
    await Promise.all(writers);
    await until(
      'reading catches up',
      () => acknowledged.every((n, lane) => seen[lane]?.size === n),
      60_000,
    );
    expect(deaths).toEqual([]);
  });

  test('takes the reader of a process that starts while it is away', async () => {
    const topic = await topics.createTopic(1, freshName());
    await log.send(topic, 0, [{ value: new Uint8Array(1) }]);
    await broker.stop();
    await expect(log.ends(topic)).rejects.toMatchObject({ code: 'BROKER_UNAVAILABLE' });
    await broker.restart();
    await until('it answers again', () =>
      log.ends(topic).then(
        () => true,
        () => false,
      ),
    );
    expect(await log.tails(topic)).toHaveLength(1);
  });
});

test('a record is in its handler some milliseconds after it was sent', async () => {
  const topics = await openTopics(sharedBrokers());
  const log = open(sharedBrokers());
  const topic = await topics.createTopic(12, freshName());
  const waits: number[] = [];
  await log.read({
    name: 'faults',
    topics: [topic],
    position: () => 0n,
    handle: async (batch) => {
      for (const { value } of batch) {
        waits.push(performance.now() - Buffer.from(value).readDoubleBE());
      }
    },
    onDeath: () => undefined,
  });
  for (let lane = 0; lane < 12; lane++) await log.send(topic, lane, [{ value: Buffer.alloc(8) }]);
  await until('the first records', () => waits.length === 12);
  waits.length = 0;
  for (let i = 0; i < 1000; i++) {
    const value = Buffer.alloc(1024);
    value.writeDoubleBE(performance.now());
    void log.send(topic, i % 12, [{ value }]);
    await systemClock.sleep(2);
  }
  await until('all records', () => waits.length === 1000);
  waits.sort((a, b) => a - b);
  const at = (share: number): number => waits[Math.floor(share * waits.length)] ?? Infinity;
  process.stderr.write(
    `send to handler: p50 ${at(0.5).toFixed(1)} ms, p99 ${at(0.99).toFixed(1)} ms\n`,
  );
  expect(at(0.5)).toBeLessThan(100);
  await log.close();
  await topics.close();
});
