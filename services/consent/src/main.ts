import { kafkaForService } from '@concordat/common/io/kafka/for-service.js';
import type { Logger } from '@concordat/common/io/logger.js';
import { reflected } from '@concordat/common/io/rpc/reflection-service.js';
import { startRpcServer } from '@concordat/common/io/rpc/server.js';
import { type RunningService, runService } from '@concordat/common/io/run-service.js';
import { systemClock } from '@concordat/common/io/system-ports.js';
import { type ConsentConfig, readConfig } from './config.js';
import { openNodeClient } from './io/node-client.js';
import { startConsent } from './service.js';

async function start(config: ConsentConfig, logger: Logger): Promise<RunningService> {
  const { log, checkTopics } = kafkaForService({ service: 'consent', ...config }, logger);
  const consent = await startConsent(config, {
    ...{ clock: systemClock, log, logger, checkTopics },
    serveRpc: (options) =>
      startRpcServer({ ...options, services: reflected(config.profile, options.services) }),
    openNode: openNodeClient,
  });
  const close = async (): Promise<void> => {
    await consent.close();
    await log.close();
  };
  return { ...consent, close };
}

await runService('consent', { readConfig: () => readConfig(process.env), start });
