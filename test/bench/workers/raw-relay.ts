import type { KafkaMessage } from 'kafkajs';
import { type RawPlace, TUNING, rawConsumer, rawKafka } from './raw-kafka.js';

/** The reference's middle process: every record of the first topic goes to the second, batch by batch. */
export function rawRelayCalls() {
  let sendSize = 250;

  return {
    async connect(place: RawPlace): Promise<void> {
      const kafka = rawKafka(place, 'raw-relay');
      const producer = kafka.producer({ allowAutoTopicCreation: false });
      await producer.connect();
      const { choosesPartitions } = TUNING[place.way];
      const forward = async (batch: readonly KafkaMessage[], partition: number): Promise<void> => {
        for (let at = 0; at < batch.length; at += sendSize) {
          const messages = batch
            .slice(at, at + sendSize)
            .map(({ key, value }) => ({ key, value, ...(choosesPartitions && { partition }) }));
          await producer.send({ topic: place.second, acks: -1, messages });
        }
      };
      await rawConsumer(kafka, { topic: place.first, way: place.way }, forward);
    },

    async setSendSize(size: number): Promise<void> {
      sendSize = size;
    },
  };
}
export type RawRelayCalls = ReturnType<typeof rawRelayCalls>;
