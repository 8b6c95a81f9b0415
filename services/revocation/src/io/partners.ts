import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { Federation } from '@concordat/common/domain/federation.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import { type RpcChannel, openChannel } from '@concordat/common/io/rpc/client.js';
import { ChildService } from '@concordat/common/io/rpc/definitions.js';
import type { TlsFiles } from '@concordat/common/io/rpc/tls.js';
import type { ChildPorts } from '../flows/context.js';

/** A certificate may have 16 MiB. */
const CERTIFICATE_TIMEOUT_MS = 30_000;

/** The revocation services of other members over gRPC, each connected to when it is first asked. */
export function openPartners(
  federation: Federation,
  tls: TlsFiles,
): Pick<ChildPorts, 'askForCertificate'> & { close(): void } {
  const channels = new Map<MemberId, RpcChannel>();
  const channelTo = (member: MemberId): RpcChannel => {
    const known = channels.get(member);
    if (known) return known;
    const address = federation.members.find(({ id }) => id === member)?.services.revocation;
    if (address === undefined) {
      const text = `expected an address of the revocation service of ${member}`;
      throw new ConcordatError('FEDERATION_INVALID', text);
    }
    const channel = openChannel({ address, tls, peer: { member, service: 'revocation' } });
    channels.set(member, channel);
    return channel;
  };
  return {
    askForCertificate: async (holder, orderId, signal) => {
      const client = channelTo(holder).clientOf(ChildService);
      const options = { timeoutMs: CERTIFICATE_TIMEOUT_MS, signal };
      return (await client.childCertificate({ orderId }, options)).dsseJson;
    },
    close: () => {
      for (const channel of channels.values()) channel.close();
    },
  };
}
