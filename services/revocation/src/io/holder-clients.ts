import type { MemberId } from '@concordat/common/domain/ids.js';
import type { FetchAgain } from '@concordat/common/io/chain/gap-filler.js';
import { ReceiptService } from '@concordat/common/io/rpc/definitions.js';
import type { Channels } from '@concordat/common/io/rpc/member-channels.js';

const RECEIPTS_TIMEOUT_MS = 10_000;

/**
 * Asks a holder's node for receipts that did not come by their topic.
 *
 * @throws ConcordatError FEDERATION_INVALID when the federation file lists no address of that node
 */
export function receiptsFrom(channels: Channels, holder: MemberId): FetchAgain {
  const client = channels.to(holder, 'node').clientOf(ReceiptService);
  return async ({ epoch, fromNumber }, signal) => {
    const options = { timeoutMs: RECEIPTS_TIMEOUT_MS, signal };
    const { receipts, ...rest } = await client.fetchReceipts({ epoch, fromNumber }, options);
    return { blocks: receipts, ...rest };
  };
}
