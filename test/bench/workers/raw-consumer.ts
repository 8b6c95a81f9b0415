import { machineMs } from '../proc.js';
import { untilComplete } from '../until-complete.js';
import { type RawPlace, rawConsumer, rawKafka } from './raw-kafka.js';

/**
 * The reference's last process: notes when each record came first. Kafka delivers at least once, so a busy relay may repeat some,
 * even some of an earlier measurement: they are not counted.
 */
export function rawConsumerCalls() {
  /** when each awaited record came; 0: not yet */
  let seenMs = new Map<string, number>();
  let received = 0;
  let lastMs = 0;

  const untilAll = (): Promise<number> =>
    untilComplete('records of the reference', seenMs.size, async () => received);

  return {
    async connect(place: RawPlace): Promise<void> {
      const { second: topic, way } = place;
      await rawConsumer(rawKafka(place, 'raw-consumer'), { topic, way }, (batch) => {
        const nowMs = machineMs();
        for (const { key } of batch) {
          const name = String(key);
          if (seenMs.get(name) !== 0) continue;
          seenMs.set(name, nowMs);
          received += 1;
          lastMs = nowMs;
        }
      });
    },

    /** From now on these are awaited, by key. */
    async expect(keys: readonly string[]): Promise<void> {
      seenMs = new Map(keys.map((key) => [key, 0]));
      received = 0;
    },

    /** Waits for all that are expected. @returns when the last came */
    async last(): Promise<number> {
      await untilAll();
      return lastMs;
    },

    /** Waits for all that are expected. @returns when each came, in their order */
    async seen(): Promise<number[]> {
      await untilAll();
      return [...seenMs.values()];
    },
  };
}
export type RawConsumerCalls = ReturnType<typeof rawConsumerCalls>;
