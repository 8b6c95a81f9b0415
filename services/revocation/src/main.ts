import { KeyRing } from '@concordat/common/domain/federation.js';
import { requireOwnKey } from '@concordat/common/domain/own-key.js';
import { openRecordCodec } from '@concordat/common/io/avro/record-codec.js';
import {
  readFederationFile,
  readSigningKey,
  readTlsFiles,
} from '@concordat/common/io/federation-file.js';
import { kafkaForService } from '@concordat/common/io/kafka/for-service.js';
import type { Logger } from '@concordat/common/io/logger.js';
import { MemberChannels } from '@concordat/common/io/rpc/member-channels.js';
import { reflected } from '@concordat/common/io/rpc/reflection-service.js';
import { startRpcServer } from '@concordat/common/io/rpc/server.js';
import { type RunningService, runService } from '@concordat/common/io/run-service.js';
import { systemClock } from '@concordat/common/io/system-ports.js';
import { type RevocationConfig, readConfig } from './config.js';
import { receiptsFrom } from './io/holder-clients.js';
import { nodeClient } from './io/node-client.js';
import { partnersOver } from './io/partners.js';
import { revocationTopics, startRevocation } from './service.js';

async function start(config: RevocationConfig, logger: Logger): Promise<RunningService> {
  const { member, dataDir, retentionCheckMs, ruleOrderDeadlineMs, approvalsAbove } = config;
  const federation = await readFederationFile(config.federationFile);
  const members = federation.members.map(({ id }) => id);
  const tls = await readTlsFiles({ ...config.tls, ca: federation.ca });
  const signer = await readSigningKey(config.signingKeyFile);
  const keys = new KeyRing(federation);
  requireOwnKey(keys, signer, { member, role: 'revocation' });
  const { log, checkTopics } = kafkaForService({ service: 'revocation', ...config }, logger);
  await checkTopics(revocationTopics({ member, members }));
  const channels = new MemberChannels(federation, tls);
  const node = nodeClient(channels.to(member, 'node'));
  const service = await startRevocation(
    { member, members, dataDir, retentionCheckMs, ruleOrderDeadlineMs, approvalsAbove },
    {
      ...{ clock: systemClock, log, logger, signer, node, register: node, scope: node, keys },
      derived: { ...node, ...partnersOver(channels) },
      codec: openRecordCodec(config.schemasDir),
      fetchReceipts: (holder) => receiptsFrom(channels, holder),
      listen: (services) =>
        startRpcServer({
          ...{ address: config.grpc.listen, tls },
          services: reflected(config.profile, services),
        }),
    },
  );
  const close = async (): Promise<void> => {
    await service.close();
    channels.close();
    await log.close();
  };
  return { ...service, close };
}

await runService('revocation', { readConfig: () => readConfig(process.env), start });
