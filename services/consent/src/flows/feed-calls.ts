import { ConcordatError } from '@concordat/common/domain/errors.js';
import { feedTopic } from '@concordat/common/domain/topics.js';
import { sendAgain } from '@concordat/common/io/chain/send-again.js';
import type { FeedService } from '@concordat/common/io/rpc/definitions.js';
import type { Handlers } from '@concordat/common/io/rpc/server.js';
import type { ConsentContext } from './context.js';
import { feedChain } from './write-feed.js';

/** For other members' nodes: blocks of the feed to the caller, whom its certificate names, and of no other. */
export function feedCalls({
  self,
  store,
}: Pick<ConsentContext, 'self' | 'store'>): Handlers<typeof FeedService> {
  return {
    fetchFeed: async (request, { caller }) => {
      if (store.leavers.has(caller.member)) {
        const text = `expected a member that stays, ${caller.member} leaves or has left`;
        throw new ConcordatError('MEMBER_LEAVES', `${text}; answer the purges that still come`);
      }
      const topic = feedTopic({ origin: self, recipient: caller.member });
      const { lane, epoch, fromNumber } = request;
      const sent = sendAgain(store.chains, topic, request);
      if (sent.blocks.length > 0) return { ...sent, voids: [] };
      return { ...sent, voids: store.chains.voidsAt(feedChain(topic, lane), epoch, fromNumber) };
    },
  };
}
