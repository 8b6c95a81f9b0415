import type { Consumer, KafkaMessage, Producer } from 'kafkajs';
import { type RawPlace, rawConsumer, rawKafka } from './raw-kafka.js';

/** The reference's middle process: every record of the first topic goes to the second, batch by batch. */
export function rawRelayCalls() {
  let producer: Producer | undefined;
  let consumer: Consumer | undefined;
  let sendSize = 250;

  return {
    async connect(place: RawPlace): Promise<void> {
      const kafka = rawKafka(place, 'raw-relay');
      const opened = kafka.producer({ allowAutoTopicCreation: false });
      producer = opened;
      await opened.connect();
      const forward = async (batch: readonly KafkaMessage[], partition: number): Promise<void> => {
        for (let at = 0; at < batch.length; at += sendSize) {
          const messages = batch
            .slice(at, at + sendSize)
            .map(({ key, value }) => ({ key, value, partition }));
          await opened.send({ topic: place.second, acks: -1, messages });
        }
      };
      consumer = await rawConsumer(kafka, place.first, forward);
    },

    async setSendSize(size: number): Promise<void> {
      sendSize = size;
    },

    async disconnect(): Promise<void> {
      await consumer?.disconnect();
      await producer?.disconnect();
    },
  };
}
export type RawRelayCalls = ReturnType<typeof rawRelayCalls>;
