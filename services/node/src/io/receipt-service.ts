import { receiptsTopic } from '@concordat/common/domain/topics.js';
import { sendAgain } from '@concordat/common/io/chain/send-again.js';
import { ReceiptService } from '@concordat/common/io/rpc/definitions.js';
import { type Served, serve } from '@concordat/common/io/rpc/server.js';
import type { NodeContext } from '../flows/context.js';

/**
 * For revocation services of other members: what we signed on the chain of receipts to the caller, whom its certificate
 * names, and on no other.
 */
export function receiptService({ state, self }: Pick<NodeContext, 'state' | 'self'>): Served {
  return serve(ReceiptService, {
    fetchReceipts: async ({ epoch, fromNumber }, { caller }) => {
      const topic = receiptsTopic({ origin: caller.member, recipient: self });
      const wanted = { lane: 0, epoch, fromNumber };
      const { blocks, ...rest } = sendAgain(state.chains, topic, wanted, topic);
      return { receipts: [...blocks], ...rest };
    },
  });
}
