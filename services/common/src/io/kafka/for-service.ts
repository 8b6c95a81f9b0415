import type { MemberId, ServiceName } from '../../domain/ids.js';
import type { Profile } from '../../domain/topics.js';
import type { LogClient } from '../log-client.js';
import type { Logger } from '../logger.js';
import { systemClock, systemRandom } from '../system-ports.js';
import { kafkaLogClient } from './client.js';
import type { KafkaOptions } from './connection.js';
import { openTopicAdmin } from './topic-admin.js';

/** The log as a service process uses it, and the check of its topics at the start. */
export interface ServiceKafka {
  readonly log: LogClient;
  /**
   * @throws ConcordatError TOPIC_MISSING, TOPIC_DIFFERS; BROKER_SETTINGS_UNSAFE in profile production, where profile
   *         demo only warns
   */
  readonly checkTopics: (names: readonly string[]) => Promise<void>;
}

export function kafkaForService(
  about: {
    readonly service: ServiceName;
    readonly member: MemberId;
    readonly profile: Profile;
    readonly kafkaBrokers: readonly string[];
  },
  logger: Logger,
): ServiceKafka {
  const options: KafkaOptions = {
    brokers: about.kafkaBrokers,
    clientId: `${about.service}-${about.member}`,
    clock: systemClock,
    random: systemRandom,
    log: (level, text) => logger[level]('kafkajs', { reason: text }),
  };
  return {
    log: kafkaLogClient(options),
    checkTopics: async (names) => {
      const admin = await openTopicAdmin(options);
      try {
        await admin.assertTopics(names, about.profile, (error) =>
          logger.warn('the broker is unsafe, which profile demo allows', { error }),
        );
      } finally {
        await admin.close();
      }
    },
  };
}
