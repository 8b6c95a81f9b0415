import { randomUUID } from 'node:crypto';
import type { Message, Producer } from 'kafkajs';
import { contentsFor } from '../events.js';
import { openLoop } from '../open-loop.js';
import { machineMs } from '../proc.js';
import { PARTITIONS, type RawPlace, type RawWay, TUNING, rawKafka } from './raw-kafka.js';

/** The reference's producer: one record an event, acks of all replicas. */
export function rawProducerCalls() {
  let producer: Producer | undefined;
  let topic = '';
  let way: RawWay = 'plain';
  let prepared: readonly Message[] = [];

  const send = async (messages: Message[], turn: number): Promise<void> => {
    const partition = turn % PARTITIONS;
    const placed = TUNING[way].choosesPartitions
      ? messages.map((message) => ({ ...message, partition }))
      : messages;
    await producer?.send({ topic, acks: -1, messages: placed });
  };

  return {
    async connect(place: RawPlace): Promise<void> {
      ({ first: topic, way } = place);
      producer = rawKafka(place, 'raw-producer').producer({ allowAutoTopicCreation: false });
      await producer.connect();
    },

    /** Makes the same contents as for ours, each with a key to know it by. @returns the keys */
    async prepare(count: number): Promise<string[]> {
      const keys = Array.from({ length: count }, () => randomUUID());
      prepared = contentsFor(count).map(({ json }, at) => ({ key: keys[at] ?? null, value: json }));
      return keys;
    },

    /** Sends what is prepared, so many records a send. @returns when the first was sent */
    async sendAll(size: number): Promise<number> {
      const firstMs = machineMs();
      const groups: Message[][] = [];
      for (let at = 0; at < prepared.length; at += size) groups.push(prepared.slice(at, at + size));
      const queue = groups.entries();
      const lane = async (): Promise<void> => {
        for (const [at, group] of queue) await send(group, at);
      };
      await Promise.all(Array.from({ length: TUNING[way].width }, lane));
      return firstMs;
    },

    /** Sends one record at a time at a steady rate. @returns when each was due */
    async sendSteadily(perSecond: number): Promise<number[]> {
      let next = 0;
      return openLoop(prepared, perSecond, (message) => send([message], (next += 1)));
    },
  };
}
export type RawProducerCalls = ReturnType<typeof rawProducerCalls>;
