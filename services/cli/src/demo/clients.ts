import type { Federation } from '@concordat/common/domain/federation.js';
import type { MemberId, ServiceName } from '@concordat/common/domain/ids.js';
import { readTlsFiles } from '@concordat/common/io/federation-file.js';
import { type ClientOf, type RpcChannel, openChannel } from '@concordat/common/io/rpc/client.js';
import {
  ConsentService,
  NationalService,
  OperatorService,
  PurgeService,
  QuarantineService,
} from '@concordat/common/io/rpc/definitions.js';
import { memberFiles } from '../io/federation-init.js';
import { ORIGIN, ORIGINS, RECIPIENTS } from './scenario.js';

export interface MemberClients {
  readonly national: ClientOf<typeof NationalService>;
  readonly operator: ClientOf<typeof OperatorService>;
  readonly quarantine: ClientOf<typeof QuarantineService>;
}

export interface OriginClients {
  readonly consent: ClientOf<typeof ConsentService>;
  readonly purge: ClientOf<typeof PurgeService>;
}

/** The demo acts as every member's national system and operator, each with its own certificate. */
export interface DemoClients extends OriginClients {
  readonly origin: MemberClients;
  /** of recipients that publish too */
  readonly otherOrigins: readonly OriginClients[];
  readonly recipients: ReadonlyMap<MemberId, MemberClients>;
  close(): void;
}

export async function openClients(dir: string, federation: Federation): Promise<DemoClients> {
  const channels: RpcChannel[] = [];
  const open = async (
    member: MemberId,
    as: ServiceName,
    service: 'node' | 'consent' | 'revocation',
  ): Promise<RpcChannel> => {
    const files = memberFiles(dir, member);
    const address = federation.members.find(({ id }) => id === member)?.services[service] ?? '';
    const tls = await readTlsFiles({
      certFile: files.certFile(as),
      keyFile: files.keyFile(as),
      ca: federation.ca,
    });
    const channel = openChannel({ address, tls, peer: { member, service } });
    channels.push(channel);
    return channel;
  };
  const openMember = async (member: MemberId): Promise<MemberClients> => {
    const operator = await open(member, 'operator', 'node');
    return {
      national: (await open(member, 'system', 'node')).clientOf(NationalService),
      operator: operator.clientOf(OperatorService),
      quarantine: operator.clientOf(QuarantineService),
    };
  };
  const openOrigin = async (member: MemberId): Promise<OriginClients> => ({
    consent: (await open(member, 'operator', 'consent')).clientOf(ConsentService),
    purge: (await open(member, 'operator', 'revocation')).clientOf(PurgeService),
  });
  const others = ORIGINS.filter((member) => member !== ORIGIN);
  const recipients = new Map<MemberId, MemberClients>();
  for (const member of RECIPIENTS) recipients.set(member, await openMember(member));
  return {
    origin: await openMember(ORIGIN),
    ...(await openOrigin(ORIGIN)),
    otherOrigins: await Promise.all(others.map(openOrigin)),
    recipients,
    close() {
      for (const channel of channels) channel.close();
    },
  };
}
