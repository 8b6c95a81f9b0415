import { purgeTopic } from '@concordat/common/domain/topics.js';
import { ANSWER_BYTES_MAX, demandWanted } from '@concordat/common/io/chain/send-again.js';
import type { LedgerService } from '@concordat/common/io/rpc/definitions.js';
import type { Handlers } from '@concordat/common/io/rpc/server.js';
import type { RevocationContext } from './context.js';

/** Entries of one answer. */
const ENTRIES_MAX = 2_000;

/**
 * For other members' nodes: entries of the purge chain to the caller, whom its certificate names, and of no other. They are
 * kept for ever, so that a topic which lost them keeps no purge away.
 */
export function ledgerCalls({
  self,
  store,
}: Pick<RevocationContext, 'self' | 'store'>): Handlers<typeof LedgerService> {
  return {
    fetchLedger: async ({ epoch, fromNumber }, { caller }) => {
      demandWanted({ lane: 0, epoch, fromNumber });
      const recipient = caller.member;
      const head = store.chains.ownHead(purgeTopic({ origin: self, recipient }));
      if (epoch !== head.epoch) return { entries: [], firstKept: 0, head: 0 };
      const bounds = { rows: ENTRIES_MAX, bytes: ANSWER_BYTES_MAX };
      return {
        entries: store.entries.consecutive(recipient, fromNumber, bounds),
        firstKept: store.entries.firstNumber(recipient),
        head: head.number,
      };
    },
  };
}
