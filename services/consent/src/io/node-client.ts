import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { Federation } from '@concordat/common/domain/federation.js';
import { type MemberId, asUnixMs, parseMemberId } from '@concordat/common/domain/ids.js';
import type { Hash } from '@concordat/common/domain/ids.js';
import type { FetchAgain } from '@concordat/common/io/chain/gap-filler.js';
import { openChannel } from '@concordat/common/io/rpc/client.js';
import { BlockService, type concordat } from '@concordat/common/io/rpc/definitions.js';
import type { TlsFiles } from '@concordat/common/io/rpc/tls.js';
import type { FetchOnward } from '../flows/release-onward.js';

const FETCH_TIMEOUT_MS = 10_000;
const HASH_BYTES = 32;

/** The own node, as far as consent needs it. */
export interface NodeClient {
  readonly fetchBlocks: FetchAgain;
  readonly fetchOnward: FetchOnward;
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
    fetchOnward: async (after, signal) =>
      readOnward(await client.fetchOnward({ after }, { timeoutMs: FETCH_TIMEOUT_MS, signal })),
    close: () => channel.close(),
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
