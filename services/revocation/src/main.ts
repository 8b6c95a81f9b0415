import { once } from 'node:events';
import { asConcordatError } from '@concordat/common/domain/errors.js';
import { KeyRing } from '@concordat/common/domain/federation.js';
import { openRecordCodec } from '@concordat/common/io/avro/record-codec.js';
import {
  readFederationFile,
  readSigningKey,
  readTlsFiles,
} from '@concordat/common/io/federation-file.js';
import { kafkaLogClient } from '@concordat/common/io/kafka/client.js';
import { openTopicAdmin } from '@concordat/common/io/kafka/topic-admin.js';
import { type Logger, createLogger } from '@concordat/common/io/logger.js';
import { startRpcServer } from '@concordat/common/io/rpc/server.js';
import { systemClock as clock, systemRandom as random } from '@concordat/common/io/system-ports.js';
import { type RevocationConfig, readConfig } from './config.js';
import { openNodeClient } from './io/node-client.js';
import { type RunningRevocation, revocationTopics, startRevocation } from './service.js';

/** What only people can put right: a supervisor need not try again. */
const UNUSABLE = 2;

async function checkTopics(config: RevocationConfig, logger: Logger, names: readonly string[]) {
  const { kafkaBrokers: brokers, member, profile } = config;
  const admin = await openTopicAdmin({ brokers, clientId: `revocation-${member}`, clock, random });
  try {
    await admin.assertTopics(names, profile, (error) =>
      logger.warn('the broker is unsafe, which profile demo allows', { error }),
    );
  } finally {
    await admin.close();
  }
}

async function start(config: RevocationConfig, logger: Logger): Promise<RunningRevocation> {
  const { member, dataDir, retentionCheckMs, ruleOrderDeadlineMs } = config;
  const federation = await readFederationFile(config.federationFile);
  const members = federation.members.map(({ id }) => id);
  const tls = await readTlsFiles({ ...config.tls, ca: federation.ca });
  const signer = await readSigningKey(config.signingKeyFile);
  await checkTopics(config, logger, revocationTopics({ member, members }));
  const log = kafkaLogClient({
    brokers: config.kafkaBrokers,
    clientId: `revocation-${member}`,
    clock,
    random,
    log: (level, text) => logger[level]('kafkajs', { reason: text }),
  });
  const node = openNodeClient(federation, member, tls);
  const service = await startRevocation(
    { member, members, dataDir, retentionCheckMs, ruleOrderDeadlineMs },
    {
      ...{ clock, log, logger, signer, node },
      codec: openRecordCodec(config.schemasDir),
      keys: new KeyRing(federation),
      listen: (services) => startRpcServer({ address: config.grpc.listen, tls, services }),
    },
  );
  const close = async (): Promise<void> => {
    await service.close();
    node.close();
    await log.close();
  };
  return { ...service, close };
}

function configOrExit(): RevocationConfig {
  try {
    return readConfig(process.env); // fails once, naming every bad variable
  } catch (cause) {
    const { code, message } = asConcordatError(cause);
    process.stderr.write(`${code}: ${message}\n`);
    process.exit(UNUSABLE);
  }
}

const config = configOrExit();
const { member, log } = config;
const logger = createLogger({ service: 'revocation', member, level: log.level, clock });
const stopped = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
const service = await start(config, logger).catch((cause: unknown) => {
  const error = asConcordatError(cause);
  logger.error('revocation cannot start', { error });
  process.exit(error.retryable ? 1 : UNUSABLE);
});
logger.info('ready', { address: `port ${service.port}` });

const death = await Promise.race([service.died, stopped.then(() => undefined)]);
if (death) logger.error('revocation died', { error: death });
setTimeout(() => process.exit(UNUSABLE), config.shutdownGraceMs).unref(); // a stuck close must not hang
await service.close(); // stop reading, finish what was begun, disconnect
process.exit(death ? 1 : 0); // 1: the supervisor starts us again
