import type { Policy } from '@concordat/common/domain/agreement.js';
import { KeyRing } from '@concordat/common/domain/federation.js';
import { openRecordCodec } from '@concordat/common/io/avro/record-codec.js';
import {
  readFederationFile,
  readSigningKey,
  readTlsFiles,
} from '@concordat/common/io/federation-file.js';
import { kafkaForService } from '@concordat/common/io/kafka/for-service.js';
import type { Logger } from '@concordat/common/io/logger.js';
import { readPolicyFile } from '@concordat/common/io/policy-file.js';
import { MemberChannels } from '@concordat/common/io/rpc/member-channels.js';
import { reflected } from '@concordat/common/io/rpc/reflection-service.js';
import { startRpcServer } from '@concordat/common/io/rpc/server.js';
import { type RunningService, runService } from '@concordat/common/io/run-service.js';
import { systemClock } from '@concordat/common/io/system-ports.js';
import { type ConsentConfig, readConfig } from './config.js';
import { nodeClient } from './io/node-client.js';
import { consentTopics, startConsent } from './service.js';

async function start(config: ConsentConfig, logger: Logger): Promise<RunningService> {
  const { member, dataDir, schemasDir, agreementsFile } = config;
  const federation = await readFederationFile(config.federationFile);
  const tls = await readTlsFiles({ ...config.tls, ca: federation.ca });
  const signer = await readSigningKey(config.signingKeyFile);
  const readPolicy = (): Policy => readPolicyFile(agreementsFile);
  const policy = readPolicy();
  const { log, checkTopics } = kafkaForService({ service: 'consent', ...config }, logger);
  await checkTopics(consentTopics({ member, policy }));
  const channels = new MemberChannels(federation, tls);
  const consent = await startConsent(
    { member, dataDir, policy },
    {
      ...{ clock: systemClock, codec: openRecordCodec(schemasDir), keys: new KeyRing(federation) },
      ...{ signer, log, logger, readPolicy },
      node: nodeClient(channels.to(member, 'node')),
      listen: (services) =>
        startRpcServer({
          ...{ address: config.grpc.listen, tls },
          services: reflected(config.profile, services),
          onCall: ({ path, code, error }) => {
            if (error) logger.warn('a call is refused', { path, code, error });
          },
        }),
    },
  );
  const close = async (): Promise<void> => {
    await consent.close();
    channels.close();
    await log.close();
  };
  return { ...consent, close };
}

await runService('consent', { readConfig: () => readConfig(process.env), start });
