import { ConcordatError } from '@concordat/common/domain/errors.js';
import { asUnixMs, parseMemberId } from '@concordat/common/domain/ids.js';
import type { Hash } from '@concordat/common/domain/ids.js';
import type { FetchAgain } from '@concordat/common/io/chain/gap-filler.js';
import type { RpcChannel } from '@concordat/common/io/rpc/client.js';
import { BlockService, type concordat } from '@concordat/common/io/rpc/definitions.js';
import type { FetchOnward } from '../flows/release-onward.js';

const FETCH_TIMEOUT_MS = 10_000;
const HASH_BYTES = 32;

/** The own node, as far as consent needs it. */
export interface NodeClient {
  readonly fetchBlocks: FetchAgain;
  readonly fetchOnward: FetchOnward;
}

/** @param channel to the own node */
export function nodeClient(channel: Pick<RpcChannel, 'clientOf'>): NodeClient {
  const client = channel.clientOf(BlockService);
  return {
    fetchBlocks: (wanted, signal) =>
      client.fetchBlocks(wanted, { timeoutMs: FETCH_TIMEOUT_MS, signal }),
    fetchOnward: async (after, signal) =>
      readOnward(await client.fetchOnward({ after }, { timeoutMs: FETCH_TIMEOUT_MS, signal })),
  };
}

/** The node's answer. @throws ConcordatError RECORD_MALFORMED */
export function readOnward(
  answer: concordat.node.v1.FetchOnwardResponse,
): Awaited<ReturnType<FetchOnward>> {
  const accepted = answer.accepted.map((one) => {
    const recipient = parseMemberId(one.recipient);
    if (!recipient.ok || one.proof.some(({ length }) => length !== HASH_BYTES)) {
      throw new ConcordatError('RECORD_MALFORMED', 'onward: expected a member id and hashes');
    }
    const { purpose, sections, statement, leaf, header, parts } = one;
    const proof = one.proof.map((hash) => Uint8Array.from(hash) as Hash);
    const envelopes = [{ leaf, header, sections: parts }];
    return {
      ...{ recipient: recipient.value, purpose, sections, deleteByMs: asUnixMs(one.deleteByMs) },
      partial: { statement, envelopes, proof },
    };
  });
  return { accepted, last: answer.last };
}
