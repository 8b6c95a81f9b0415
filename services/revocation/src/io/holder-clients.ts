import type { Federation } from '@concordat/common/domain/federation.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { FetchAgain } from '@concordat/common/io/chain/gap-filler.js';
import { ReceiptService } from '@concordat/common/io/rpc/definitions.js';
import { MemberChannels } from '@concordat/common/io/rpc/member-channels.js';
import type { TlsFiles } from '@concordat/common/io/rpc/tls.js';

const RECEIPTS_TIMEOUT_MS = 10_000;

/** The nodes of other members, as this service calls them. */
export interface HolderClients {
  fetchReceipts(holder: MemberId): FetchAgain;
  close(): void;
}

export function openHolderClients(federation: Federation, tls: TlsFiles): HolderClients {
  const channels = new MemberChannels(federation, tls);
  return {
    /** @throws ConcordatError FEDERATION_INVALID when the federation file lists no address of that node */
    fetchReceipts(holder) {
      const client = channels.to(holder, 'node').clientOf(ReceiptService);
      return async ({ epoch, fromNumber }, signal) => {
        const options = { timeoutMs: RECEIPTS_TIMEOUT_MS, signal };
        const { receipts, ...rest } = await client.fetchReceipts({ epoch, fromNumber }, options);
        return { blocks: receipts, ...rest };
      };
    },
    close: () => channels.close(),
  };
}
