import type { Clock, Random } from '@concordat/common/domain/ports.js';
import type { LogClient } from '@concordat/common/io/log-client.js';
import type { Logger } from '@concordat/common/io/logger.js';
import type { Channels } from '@concordat/common/io/rpc/member-channels.js';
import { nodeClient as nodeForConsent } from '@concordat/consent/io/node-client.js';
import { startConsent } from '@concordat/consent/service.js';
import { peersOver } from '@concordat/node/io/peers.js';
import { startNode } from '@concordat/node/service.js';
import { receiptsFrom } from '@concordat/revocation/io/holder-clients.js';
import { nodeClient } from '@concordat/revocation/io/node-client.js';
import { partnersOver } from '@concordat/revocation/io/partners.js';
import { startRevocation } from '@concordat/revocation/service.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { Policy } from '@concordat/common/domain/agreement.js';
import type { Life, SimulatedServiceParts } from '../service.js';
import type { SimulatedFederation } from './federation.js';
import { MEMBERS } from './federation.js';
import type { Process } from './places.js';
import type { Schemas } from './template.js';

/** What one life of a process finds around it. */
export interface Around {
  readonly member: MemberId;
  readonly federation: SimulatedFederation;
  readonly schemas: Schemas;
  readonly settings: ServiceSettings;
  /** the agreements file as it is now */
  readonly readPolicy: () => Policy;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: LogClient;
  readonly logger: Logger;
  /** to all services, as this process reaches them */
  readonly channels: Channels;
}

/** What an operator may set, and a seed draws. */
export interface ServiceSettings {
  readonly freshnessEveryMs: number;
  readonly retentionCheckMs: number;
  readonly mediaErasureMs: number;
  readonly approvalsAbove: number;
  readonly ruleOrderDeadlineMs: number;
}

type Begin = (around: Around, life: Life) => ReturnType<SimulatedServiceParts['begin']>;

/** How each process is started: as its main.ts does, on simulated ports. */
export const BEGIN: Readonly<Record<Process, Begin>> = {
  node: (around, { dataDir, listen }) => {
    const { member, federation, settings, readPolicy, clock, random, log, logger } = around;
    const { freshnessEveryMs, retentionCheckMs, mediaErasureMs, approvalsAbove } = settings;
    return startNode(
      {
        ...{ member, profile: 'demo', dataDir, schemasDir: '', schemas: around.schemas },
        ...{ federation: federation.federation, signer: federation.signer(member, 'node') },
        ...{ policy: readPolicy(), freshnessEveryMs, retentionCheckMs },
        ...{ mediaErasureMs, approvalsAbove },
      },
      {
        ...{ clock, random, log, logger, readPolicy, listen },
        peers: peersOver(around.channels),
      },
    );
  },

  consent: (around, { dataDir, listen }) => {
    const { member, federation, readPolicy, clock, log, logger, channels } = around;
    return startConsent(
      { member, dataDir, policy: readPolicy() },
      {
        ...{ clock, log, logger, readPolicy, listen, codec: around.schemas.codec },
        ...{ keys: federation.keys, signer: federation.signer(member, 'consent') },
        node: nodeForConsent(channels.to(member, 'node')),
      },
    );
  },

  revocation: (around, { dataDir, listen }) => {
    const { member, federation, settings, clock, log, logger, channels } = around;
    const { retentionCheckMs, ruleOrderDeadlineMs, approvalsAbove } = settings;
    const node = nodeClient(channels.to(member, 'node'));
    return startRevocation(
      { member, members: MEMBERS, dataDir, retentionCheckMs, ruleOrderDeadlineMs, approvalsAbove },
      {
        ...{ clock, log, logger, listen, codec: around.schemas.codec },
        ...{ keys: federation.keys, signer: federation.signer(member, 'revocation') },
        ...{ node, register: node, scope: node },
        derived: { ...node, ...partnersOver(channels) },
        fetchReceipts: (holder) => receiptsFrom(channels, holder),
      },
    );
  },
};
