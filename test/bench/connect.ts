import type { MemberId } from '@concordat/common/domain/ids.js';
import { readTlsFiles } from '@concordat/common/io/federation-file.js';
import { type ClientOf, openChannel } from '@concordat/common/io/rpc/client.js';
import type { AnyService } from '@concordat/common/io/rpc/definitions.js';
import { DOORS } from '@concordat/cli/io/session.js';
import { endpointOf, homeFiles, memberIn, readFederationOf } from '@concordat/cli/io/home.js';

/** Whose service, and in which federation. */
export interface Place {
  readonly home: string;
  readonly member: MemberId;
}

type Doors = typeof DOORS;
interface Opened<S extends AnyService> {
  readonly client: ClientOf<S>;
  close(): void;
}

/** A connection of its own, with the certificate that the call is meant for. */
export async function connect<D extends keyof Doors>(
  { home, member }: Place,
  name: D,
): Promise<Opened<Doors[D]['service']>> {
  const door: Doors[D] = DOORS[name];
  const federation = await readFederationOf(home);
  const files = homeFiles(home).member(member);
  const tls = await readTlsFiles({
    certFile: files.certFile(door.as),
    keyFile: files.keyFile(door.as),
    ca: federation.ca,
  });
  const address = endpointOf(memberIn(federation, member), door.at);
  const channel = openChannel({ address, tls, peer: { member, service: door.at } });
  return {
    client: channel.clientOf<Doors[D]['service']>(door.service),
    close: () => channel.close(),
  };
}
