import { eventsTopic } from '@concordat/common/domain/topics.js';
import { sendAgain } from '@concordat/common/io/chain/send-again.js';
import { BlockService } from '@concordat/common/io/rpc/definitions.js';
import { type Served, serve } from '@concordat/common/io/rpc/server.js';
import type { NodeContext } from '../flows/context.js';

/** For the own consent service: blocks that the topic lost. */
export function blockService({ state, self }: Pick<NodeContext, 'state' | 'self'>): Served {
  return serve(BlockService, {
    fetchBlocks: (request) => Promise.resolve(sendAgain(state.chains, eventsTopic(self), request)),
  });
}
