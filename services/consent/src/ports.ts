import type { MemberId } from '@concordat/common/domain/ids.js';
import { kafkaLogClient } from '@concordat/common/io/kafka/client.js';
import { openTopicAdmin } from '@concordat/common/io/kafka/topic-admin.js';
import type { Logger } from '@concordat/common/io/logger.js';
import { startRpcServer } from '@concordat/common/io/rpc/server.js';
import { systemClock as clock, systemRandom as random } from '@concordat/common/io/system-ports.js';
import type { ConsentConfig } from './config.js';
import type { ConsentPorts } from './service.js';

/** What a process of its own runs on: Kafka, the system's clock and sockets. */
export function systemPorts(config: ConsentConfig, logger: Logger): ConsentPorts {
  const kafka = {
    brokers: config.kafkaBrokers,
    clientId: clientId(config.member),
    clock,
    random,
    log: (level: 'error' | 'warn', text: string) => logger[level]('kafkajs', { reason: text }),
  };
  return {
    clock,
    logger,
    log: kafkaLogClient(kafka),
    serveRpc: startRpcServer,
    checkTopics: async (names) => {
      const admin = await openTopicAdmin(kafka);
      try {
        await admin.assertTopics(names, config.profile, (error) =>
          logger.warn('the broker is unsafe, which profile demo allows', { error }),
        );
      } finally {
        await admin.close();
      }
    },
  };
}

function clientId(member: MemberId): string {
  return `consent-${member}`;
}
