import { randomUUID } from 'node:crypto';
import type { Message, Producer } from 'kafkajs';
import { contentsFor } from '../events.js';
import { openLoop } from '../open-loop.js';
import { machineMs } from '../proc.js';
import { PARTITIONS, type RawPlace, rawKafka } from './raw-kafka.js';

/** Requests under way at once. */
const WIDTH = 4;

/** The reference's producer: one record an event, acks of all replicas. */
export function rawProducerCalls() {
  let producer: Producer | undefined;
  let topic = '';
  let prepared: readonly Message[] = [];

  const send = async (messages: Message[], partition: number): Promise<void> => {
    const here = messages.map((message) => ({ ...message, partition }));
    await producer?.send({ topic, acks: -1, messages: here });
  };

  return {
    async connect(place: RawPlace): Promise<void> {
      topic = place.first;
      producer = rawKafka(place, 'raw-producer').producer({ allowAutoTopicCreation: false });
      await producer.connect();
    },

    /** Makes the same contents as for ours, each with a key to know it by. @returns the keys */
    async prepare(count: number): Promise<string[]> {
      const keys = Array.from({ length: count }, () => randomUUID());
      prepared = contentsFor(count).map(({ json }, at) => ({ key: keys[at] ?? null, value: json }));
      return keys;
    },

    /** Sends what is prepared, so many records a send, each send to the next partition. @returns when the first was sent */
    async sendAll(size: number): Promise<number> {
      const firstMs = machineMs();
      const groups: Message[][] = [];
      for (let at = 0; at < prepared.length; at += size) groups.push(prepared.slice(at, at + size));
      const queue = groups.entries();
      const lane = async (): Promise<void> => {
        for (const [at, group] of queue) await send(group, at % PARTITIONS);
      };
      await Promise.all(Array.from({ length: WIDTH }, lane));
      return firstMs;
    },

    /** Sends one record at a time at a steady rate. @returns when each was due */
    async sendSteadily(perSecond: number): Promise<number[]> {
      let next = 0;
      return openLoop(prepared, perSecond, (message) => send([message], (next += 1) % PARTITIONS));
    },

    async disconnect(): Promise<void> {
      await producer?.disconnect();
    },
  };
}
export type RawProducerCalls = ReturnType<typeof rawProducerCalls>;
