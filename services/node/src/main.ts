import { once } from 'node:events';
import { asConcordatError } from '@concordat/common/domain/errors.js';
import {
  readFederationFile,
  readSigningKey,
  readTlsFiles,
} from '@concordat/common/io/federation-file.js';
import { kafkaLogClient } from '@concordat/common/io/kafka/client.js';
import { createLogger } from '@concordat/common/io/logger.js';
import { readPolicyFile } from '@concordat/common/io/policy-file.js';
import { startRpcServer } from '@concordat/common/io/rpc/server.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { type NodeConfig, readConfig } from './config.js';
import { rpcPeers } from './io/peers.js';
import { type RunningNode, startNode } from './service.js';

async function start(config: NodeConfig): Promise<RunningNode> {
  const { member, profile } = config;
  const logger = createLogger({
    service: 'node',
    member,
    level: config.log.level,
    clock: systemClock,
  });
  const federation = await readFederationFile(config.federationFile);
  const tls = await readTlsFiles({ ...config.tls, ca: federation.ca });
  const log = kafkaLogClient({
    brokers: config.kafkaBrokers,
    clientId: `node-${member}`,
    clock: systemClock,
    random: systemRandom,
    log: (level, text) => logger[level](text),
  });
  const node = await startNode(
    {
      member,
      profile,
      dataDir: config.dataDir,
      schemasDir: config.schemasDir,
      federation,
      policy: readPolicyFile(config.agreementsFile),
      signer: await readSigningKey(config.signingKeyFile),
      freshnessEveryMs: config.freshness.everyMs,
    },
    {
      clock: systemClock,
      random: systemRandom,
      log,
      logger,
      peers: rpcPeers(federation, tls),
      listen: (services) => startRpcServer({ address: config.grpc.listen, tls, services }),
    },
  );
  logger.info('ready', { address: config.grpc.listen });
  return node;
}

try {
  const config = readConfig(process.env);
  const stopped = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  const node = await start(config);
  const death = await Promise.race([node.died, stopped.then(() => undefined)]);
  setTimeout(() => process.exit(2), config.shutdownGraceMs).unref(); // a stuck close must not hang
  await node.close();
  if (death) throw death;
  process.exit(0);
} catch (cause) {
  const { code, message } = asConcordatError(cause);
  process.stderr.write(`${code}  ${message}\n`);
  process.exit(code === 'CONFIG_INVALID' ? 2 : 1);
}
