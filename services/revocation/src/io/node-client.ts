import { ConcordatError } from '@concordat/common/domain/errors.js';
import {
  type Hash,
  asUnixMs,
  parseEventId,
  parseMemberId,
  parseOrderId,
} from '@concordat/common/domain/ids.js';
import type { Result } from '@concordat/common/domain/result.js';
import type { RpcChannel } from '@concordat/common/io/rpc/client.js';
import {
  DerivationService,
  KeyService,
  MembershipService,
  ScopeService,
  type concordat,
} from '@concordat/common/io/rpc/definitions.js';
import type { ChildDuty } from '../domain/child-orders.js';
import type {
  ChildPorts,
  MemberRegister,
  ScopeSource,
  SealingNode,
  SignedChange,
} from '../flows/context.js';
import { readScopePage } from './scope-page.js';

/** The node answers when the broker has its seal; a node that is away is waited for this long, then asked anew. */
const DESTROY_KEYS_TIMEOUT_MS = 30_000;
/** The node answers when the broker has the change. */
const MEMBERSHIP_TIMEOUT_MS = 30_000;
/** A page rests on at most some ten thousand decisions. */
const SCOPE_TIMEOUT_MS = 30_000;
const DUTIES_TIMEOUT_MS = 10_000;

/** @param channel to the own node */
export function nodeClient(
  channel: Pick<RpcChannel, 'clientOf'>,
): SealingNode & MemberRegister & ScopeSource & Omit<ChildPorts, 'askForCertificate'> {
  const client = channel.clientOf(KeyService);
  const members = channel.clientOf(MembershipService);
  const scope = channel.clientOf(ScopeService);
  const derivations = channel.clientOf(DerivationService);
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
    listDuties: async (signal) => {
      const options = { timeoutMs: DUTIES_TIMEOUT_MS, signal };
      return (await derivations.listDuties({}, options)).duties.map(dutyIn);
    },
    closeDuty: async (done, signal) => {
      await derivations.closeDuty(done, { timeoutMs: DUTIES_TIMEOUT_MS, signal });
    },
  };
}

function changeIn({ change, ledgerHead }: concordat.node.v1.MembershipResponse): SignedChange {
  return { change: Uint8Array.from(change), ledgerHead };
}

/** @throws ConcordatError INTERNAL: the own node answers what nobody can read */
export function dutyIn(duty: concordat.node.v1.Duty): ChildDuty {
  const { entryHash, entryTimeMs } = duty;
  return {
    child: need(parseEventId(duty.child)),
    origin: need(parseMemberId(duty.origin)),
    orderId: need(parseOrderId(duty.orderId)),
    entryHash: Uint8Array.from(entryHash) as Hash,
    entryTimeMs: asUnixMs(entryTimeMs),
    parents: duty.parents.map((id) => need(parseEventId(id))),
    origins: duty.origins.map((id) => need(parseMemberId(id))),
  };
}

function need<T>(parsed: Result<T, string>): T {
  if (parsed.ok) return parsed.value;
  throw new ConcordatError('INTERNAL', `a duty of the own node: ${parsed.error}`);
}
