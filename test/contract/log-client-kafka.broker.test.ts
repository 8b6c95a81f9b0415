import { randomBytes } from 'node:crypto';
import { kafkaLogClient } from '@concordat/common/io/kafka/client.js';
import { systemRandom } from '@concordat/common/io/system-ports.js';
import { sharedBrokers } from '../support/broker.js';
import { openTopics } from '../support/topics.js';
import { type LogWorld, describeLogClient } from './log-client.js';

async function openKafka(): Promise<LogWorld> {
  const brokers = sharedBrokers();
  const topics = await openTopics(brokers);
  return {
    ...topics,
    open: (clock) => kafkaLogClient({ brokers, clientId: 'contract', clock, random: systemRandom }),
    createTopic: (lanes, name = `contract-${randomBytes(6).toString('hex')}`) =>
      topics.createTopic(lanes, name),
  };
}

describeLogClient('Apache Kafka', openKafka);
