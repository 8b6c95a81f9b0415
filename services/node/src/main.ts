import type { Policy } from '@concordat/common/domain/agreement.js';
import { KeyRing } from '@concordat/common/domain/federation.js';
import { requireOwnKey } from '@concordat/common/domain/own-key.js';
import {
  readFederationFile,
  readSigningKey,
  readTlsFiles,
} from '@concordat/common/io/federation-file.js';
import { kafkaForService } from '@concordat/common/io/kafka/for-service.js';
import type { Logger } from '@concordat/common/io/logger.js';
import { readPolicyFile } from '@concordat/common/io/policy-file.js';
import { reflected } from '@concordat/common/io/rpc/reflection-service.js';
import { startRpcServer } from '@concordat/common/io/rpc/server.js';
import { type RunningService, runService } from '@concordat/common/io/run-service.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { type NodeConfig, readConfig } from './config.js';
import { rpcPeers } from './io/peers.js';
import { MAINTENANCE, type Maintenance, maintain } from './maintain.js';
import { nodeTopics, startNode } from './service.js';

async function start(config: NodeConfig, logger: Logger): Promise<RunningService> {
  const { member, profile, dataDir, schemasDir, approvedSchemasDir } = config;
  const federation = await readFederationFile(config.federationFile);
  const tls = await readTlsFiles({ ...config.tls, ca: federation.ca });
  const signer = await readSigningKey(config.signingKeyFile);
  requireOwnKey(new KeyRing(federation), signer, { member, role: 'node' });
  const { log, checkTopics } = kafkaForService({ service: 'node', ...config }, logger);
  await checkTopics(nodeTopics(federation, member));
  const readPolicy = (): Policy => readPolicyFile(config.agreementsFile);
  return startNode(
    {
      ...{ member, profile, dataDir, schemasDir, approvedSchemasDir, federation, signer },
      policy: readPolicy(),
      freshnessEveryMs: config.freshness.everyMs,
      retentionCheckMs: config.retentionCheckMs,
      mediaErasureMs: config.mediaErasureMs,
      approvalsAbove: config.approvalsAbove,
    },
    {
      ...{ log, logger, clock: systemClock, random: systemRandom, readPolicy },
      peers: rpcPeers(federation, tls),
      listen: (services) =>
        startRpcServer({
          ...{ address: config.grpc.listen, tls },
          services: reflected(config.profile, services),
        }),
    },
  );
}

/** `main.js backup <file>`: once, with the answer on stdout; `concordat node backup` runs it. */
async function runMaintenance(what: Maintenance, file: string): Promise<never> {
  const { member, dataDir, schemasDir, federationFile } = readConfig(process.env);
  const federation = await readFederationFile(federationFile);
  const settings = { member, dataDir, schemasDir, federation };
  const { line, ok } = await maintain(what, file, settings, systemClock.nowMs());
  process.stdout.write(`${line}\n`);
  process.exit(ok ? 0 : 1);
}

const [what, file] = process.argv.slice(2);
const maintenance = MAINTENANCE.find((one) => one === what);
if (maintenance && file !== undefined) await runMaintenance(maintenance, file);
await runService('node', { readConfig: () => readConfig(process.env), start });
