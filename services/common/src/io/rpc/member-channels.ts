import { ConcordatError } from '../../domain/errors.js';
import type { Federation } from '../../domain/federation.js';
import type { MemberId } from '../../domain/ids.js';
import { type RpcChannel, openChannel } from './client.js';
import type { TlsFiles } from './tls.js';

/** How services of members are reached. */
export interface Channels {
  /** @throws ConcordatError FEDERATION_INVALID for a service without an address */
  to(member: MemberId, service: 'node' | 'consent' | 'revocation'): Pick<RpcChannel, 'clientOf'>;
}

/** Connections to services of members, as the federation file lists them; closed together. */
export class MemberChannels implements Channels {
  readonly #federation: Federation;
  readonly #tls: TlsFiles;
  readonly #open: RpcChannel[] = [];

  constructor(federation: Federation, tls: TlsFiles) {
    this.#federation = federation;
    this.#tls = tls;
  }

  /** A connection of its own each time. @throws ConcordatError FEDERATION_INVALID for a service without an address */
  to(member: MemberId, service: 'node' | 'consent' | 'revocation'): RpcChannel {
    const address = this.#federation.members.find(({ id }) => id === member)?.services[service];
    if (address === undefined) {
      throw new ConcordatError('FEDERATION_INVALID', `expected an address of ${service} ${member}`);
    }
    const channel = openChannel({ address, tls: this.#tls, peer: { member, service } });
    this.#open.push(channel);
    return channel;
  }

  close(): void {
    for (const channel of this.#open) channel.close();
  }
}
