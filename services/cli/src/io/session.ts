import type { MemberId, ServiceName } from '@concordat/common/domain/ids.js';
import { readTlsFiles } from '@concordat/common/io/federation-file.js';
import { type ClientOf, openChannel } from '@concordat/common/io/rpc/client.js';
import {
  type AnyService,
  ConsentService,
  NationalService,
  OperatorService,
  PurgeService,
  QuarantineService,
} from '@concordat/common/io/rpc/definitions.js';
import type { MemberService } from '../domain/service-environment.js';
import { endpointOf, homeFiles, memberIn, readFederationOf } from './home.js';

/** A gRPC service of a member, the process that serves it, and as whom we go there. */
interface Door<S extends AnyService> {
  readonly service: S;
  readonly at: MemberService;
  readonly as: ServiceName;
}

/** What a person at the command line can call, each with the certificate that the call is meant for. */
export const DOORS = {
  national: { service: NationalService, at: 'node', as: 'system' },
  operator: { service: OperatorService, at: 'node', as: 'operator' },
  consent: { service: ConsentService, at: 'consent', as: 'operator' },
  purge: { service: PurgeService, at: 'revocation', as: 'operator' },
} as const satisfies Readonly<Record<string, Door<AnyService>>>;

/** Every service of a member has a quarantine of its own. */
export function quarantineOf(at: MemberService): Door<typeof QuarantineService> {
  return { service: QuarantineService, at, as: 'operator' };
}

export interface Whose {
  readonly home: string;
  readonly member: MemberId;
}

/** Opens a connection for `use` and closes it after. @throws ConcordatError CONFIG_INVALID when the home is incomplete */
export async function withClient<S extends AnyService, T>(
  { home, member }: Whose,
  door: Door<S>,
  use: (client: ClientOf<S>) => Promise<T>,
): Promise<T> {
  const federation = await readFederationOf(home);
  const address = endpointOf(memberIn(federation, member), door.at);
  const files = homeFiles(home).member(member);
  const tls = await readTlsFiles({
    certFile: files.certFile(door.as),
    keyFile: files.keyFile(door.as),
    ca: federation.ca,
  });
  const channel = openChannel({ address, tls, peer: { member, service: door.at } });
  try {
    return await use(channel.clientOf(door.service));
  } finally {
    channel.close();
  }
}
