import type { MemberId } from '@concordat/common/domain/ids.js';
import type { RpcChannel } from '@concordat/common/io/rpc/client.js';
import { ChildService } from '@concordat/common/io/rpc/definitions.js';
import type { Channels } from '@concordat/common/io/rpc/member-channels.js';
import type { ChildPorts } from '../flows/context.js';

/** A certificate may have 16 MiB. */
const CERTIFICATE_TIMEOUT_MS = 30_000;

/** The revocation services of other members, each connected to when it is first asked. */
export function partnersOver(channels: Channels): Pick<ChildPorts, 'askForCertificate'> {
  type Channel = Pick<RpcChannel, 'clientOf'>;
  const known = new Map<MemberId, Channel>();
  const channelTo = (member: MemberId): Channel => {
    const channel = known.get(member) ?? channels.to(member, 'revocation');
    known.set(member, channel);
    return channel;
  };
  return {
    askForCertificate: async (holder, orderId, signal) => {
      const client = channelTo(holder).clientOf(ChildService);
      const options = { timeoutMs: CERTIFICATE_TIMEOUT_MS, signal };
      return (await client.childCertificate({ orderId }, options)).dsseJson;
    },
  };
}
