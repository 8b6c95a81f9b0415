import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { Federation } from '@concordat/common/domain/federation.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { FetchAgain } from '@concordat/common/io/chain/gap-filler.js';
import { openChannel } from '@concordat/common/io/rpc/client.js';
import { BlockService } from '@concordat/common/io/rpc/definitions.js';
import type { TlsFiles } from '@concordat/common/io/rpc/tls.js';

const FETCH_TIMEOUT_MS = 10_000;

/** The own node, as far as consent needs it. */
export interface NodeClient {
  readonly fetchBlocks: FetchAgain;
  close(): void;
}

/** The own node over gRPC. @throws ConcordatError FEDERATION_INVALID when the federation file lists no address of it */
export function openNodeClient(
  federation: Federation,
  member: MemberId,
  tls: TlsFiles,
): NodeClient {
  const address = federation.members.find(({ id }) => id === member)?.services.node;
  if (address === undefined) {
    throw new ConcordatError('FEDERATION_INVALID', `expected an address of the node of ${member}`);
  }
  const channel = openChannel({ address, tls, peer: { member, service: 'node' } });
  const client = channel.clientOf(BlockService);
  return {
    fetchBlocks: (wanted, signal) =>
      client.fetchBlocks(wanted, { timeoutMs: FETCH_TIMEOUT_MS, signal }),
    close: () => channel.close(),
  };
}
