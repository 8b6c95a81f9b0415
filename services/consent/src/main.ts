import { once } from 'node:events';
import { asConcordatError } from '@concordat/common/domain/errors.js';
import { createLogger } from '@concordat/common/io/logger.js';
import { systemClock as clock } from '@concordat/common/io/system-ports.js';
import { type ConsentConfig, readConfig } from './config.js';
import { systemPorts } from './ports.js';
import { startConsent } from './service.js';

/** What only people can put right: a supervisor need not try again. */
const UNUSABLE = 2;

function configOrExit(): ConsentConfig {
  try {
    return readConfig(process.env); // fails once, naming every bad variable
  } catch (cause) {
    const { code, message } = asConcordatError(cause);
    process.stderr.write(`${code}: ${message}\n`);
    process.exit(UNUSABLE);
  }
}

const config = configOrExit();
const { member, log: level } = config;
const logger = createLogger({ service: 'consent', member, level: level.level, clock });
const ports = systemPorts(config, logger);
const service = await startConsent(config, ports).catch((cause: unknown) => {
  const error = asConcordatError(cause);
  logger.error('consent cannot start', { error });
  process.exit(error.retryable ? 1 : UNUSABLE);
});
logger.info('ready', { address: `port ${String(service.port)}` });

const stopped = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
const death = await Promise.race([service.died, stopped.then(() => undefined)]);
if (death) logger.error('consent died', { error: death });
setTimeout(() => process.exit(2), config.shutdownGraceMs).unref(); // a stuck close must not hang
await service.close(); // stop reading, finish what was begun, disconnect
await ports.log.close();
if (death) process.exitCode = 1; // the supervisor starts us again
