import type { Consumer } from 'kafkajs';
import { machineMs } from '../proc.js';
import { untilComplete } from '../until-complete.js';
import { type RawPlace, rawConsumer, rawKafka } from './raw-kafka.js';

/** The reference's last process: notes when each record came. */
export function rawConsumerCalls() {
  let consumer: Consumer | undefined;
  let seenMs = new Map<string, number>();
  let received = 0;
  let lastMs = 0;

  return {
    async connect(place: RawPlace): Promise<void> {
      consumer = await rawConsumer(rawKafka(place, 'raw-consumer'), place.second, (batch) => {
        lastMs = machineMs();
        received += batch.length;
        for (const { key } of batch) seenMs.set(String(key), lastMs);
      });
    },

    /** Waits for so many records since the last call. @returns when the last came */
    async last(count: number): Promise<number> {
      await untilComplete('records of the reference', count, async () => received);
      [received, seenMs] = [0, new Map()];
      return lastMs;
    },

    /** Waits for every one of these since the last call. @returns when each came, in their order */
    async seen(keys: readonly string[]): Promise<number[]> {
      await untilComplete('records of the reference', keys.length, async () => received);
      const times = keys.map((key) => seenMs.get(key) ?? Number.NaN);
      [received, seenMs] = [0, new Map()];
      return times;
    },

    async disconnect(): Promise<void> {
      await consumer?.disconnect();
    },
  };
}
export type RawConsumerCalls = ReturnType<typeof rawConsumerCalls>;
