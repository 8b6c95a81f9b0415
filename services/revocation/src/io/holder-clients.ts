import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { Federation } from '@concordat/common/domain/federation.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { FetchAgain } from '@concordat/common/io/chain/gap-filler.js';
import { type RpcChannel, openChannel } from '@concordat/common/io/rpc/client.js';
import { ReceiptService } from '@concordat/common/io/rpc/definitions.js';
import type { TlsFiles } from '@concordat/common/io/rpc/tls.js';

const RECEIPTS_TIMEOUT_MS = 10_000;

/** The nodes of other members, as this service calls them. */
export interface HolderClients {
  fetchReceipts(holder: MemberId): FetchAgain;
  close(): void;
}

export function openHolderClients(federation: Federation, tls: TlsFiles): HolderClients {
  const channels: RpcChannel[] = [];
  return {
    /** @throws ConcordatError FEDERATION_INVALID when the federation file lists no address of that node */
    fetchReceipts(holder) {
      const address = federation.members.find(({ id }) => id === holder)?.services.node;
      if (address === undefined) {
        const text = `expected an address of the node of ${holder}`;
        throw new ConcordatError('FEDERATION_INVALID', text);
      }
      const channel = openChannel({ address, tls, peer: { member: holder, service: 'node' } });
      channels.push(channel);
      const client = channel.clientOf(ReceiptService);
      return async ({ epoch, fromNumber }, signal) => {
        const options = { timeoutMs: RECEIPTS_TIMEOUT_MS, signal };
        const { receipts, ...rest } = await client.fetchReceipts({ epoch, fromNumber }, options);
        return { blocks: receipts, ...rest };
      };
    },
    close: () => {
      for (const channel of channels) channel.close();
    },
  };
}
