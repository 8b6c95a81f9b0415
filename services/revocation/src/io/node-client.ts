import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { Federation } from '@concordat/common/domain/federation.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import { openChannel } from '@concordat/common/io/rpc/client.js';
import {
  KeyService,
  MembershipService,
  ScopeService,
  type concordat,
} from '@concordat/common/io/rpc/definitions.js';
import type { TlsFiles } from '@concordat/common/io/rpc/tls.js';
import type { MemberRegister, ScopeSource, SealingNode, SignedChange } from '../flows/context.js';
import { readScopePage } from './scope-page.js';

/** The node answers when the broker has its seal; a node that is away is waited for this long, then asked anew. */
const DESTROY_KEYS_TIMEOUT_MS = 30_000;
/** The node answers when the broker has the change. */
const MEMBERSHIP_TIMEOUT_MS = 30_000;
/** A page rests on at most some ten thousand decisions. */
const SCOPE_TIMEOUT_MS = 30_000;

/** The own node over gRPC. @throws ConcordatError FEDERATION_INVALID when the federation file lists no address of it */
export function openNodeClient(
  federation: Federation,
  member: MemberId,
  tls: TlsFiles,
): SealingNode & MemberRegister & ScopeSource & { close(): void } {
  const address = federation.members.find(({ id }) => id === member)?.services.node;
  if (address === undefined) {
    throw new ConcordatError('FEDERATION_INVALID', `expected an address of the node of ${member}`);
  }
  const channel = openChannel({ address, tls, peer: { member, service: 'node' } });
  const client = channel.clientOf(KeyService);
  const members = channel.clientOf(MembershipService);
  const scope = channel.clientOf(ScopeService);
  return {
    destroyKeys: async (order, signal, approvals) => {
      const options = { timeoutMs: DESTROY_KEYS_TIMEOUT_MS, signal, waitForReady: true };
      const { sealRecord, evidence } = await client.destroyKeys({ order, approvals }, options);
      return { sealRecord: Uint8Array.from(sealRecord), evidence: Uint8Array.from(evidence) };
    },
    letMemberGo: async (order, signal, approvals) => {
      const options = { timeoutMs: MEMBERSHIP_TIMEOUT_MS, signal, waitForReady: true };
      return changeIn(await members.letMemberGo({ order, approvals: [...approvals] }, options));
    },
    letMemberBeGone: async (member, signal) => {
      const options = { timeoutMs: MEMBERSHIP_TIMEOUT_MS, signal, waitForReady: true };
      return changeIn(await members.letMemberBeGone({ member }, options));
    },
    scopeLosses: async (asked, signal) =>
      readScopePage(await scope.scopeLosses(asked, { timeoutMs: SCOPE_TIMEOUT_MS, signal })),
    close: () => channel.close(),
  };
}

function changeIn({ change, ledgerHead }: concordat.node.v1.MembershipResponse): SignedChange {
  return { change: Uint8Array.from(change), ledgerHead };
}
