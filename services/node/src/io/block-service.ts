import { eventsTopic } from '@concordat/common/domain/topics.js';
import { sendAgain } from '@concordat/common/io/chain/send-again.js';
import { BlockService, type concordat } from '@concordat/common/io/rpc/definitions.js';
import { type Served, serve } from '@concordat/common/io/rpc/server.js';
import type { NodeContext } from '../flows/context.js';
import { type AcceptedOnward, acceptedOnward } from '../flows/onward.js';

/** Accepted requests of one answer: each may have the largest envelope. */
const ONWARD_MAX = 16;

/** For the own consent service: blocks that the topic lost, and what holders asked to share on. */
export function blockService(context: NodeContext): Served {
  const { state, self } = context;
  return serve(BlockService, {
    fetchBlocks: (request) => Promise.resolve(sendAgain(state.chains, eventsTopic(self), request)),
    fetchOnward: async ({ after }) => {
      const { accepted, last } = acceptedOnward(context, after, ONWARD_MAX);
      return { accepted: accepted.flatMap(toWire), last };
    },
  });
}

function toWire({ request, partial }: AcceptedOnward): concordat.node.v1.AcceptedOnward[] {
  const { recipient, purpose, sections, deleteByMs } = request;
  const { statement, envelopes, proof } = partial;
  return envelopes.map(({ leaf, header, sections: parts }) => ({
    ...{ recipient, purpose, sections: [...sections], deleteByMs, statement, leaf, header },
    ...{ parts: [...parts], proof: [...proof] },
  }));
}
