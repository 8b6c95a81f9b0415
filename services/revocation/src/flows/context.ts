import type { EventId, Hash, MemberId, OrderId } from '@concordat/common/domain/ids.js';
import type { Clock } from '@concordat/common/domain/ports.js';
import type { RecordCodec } from '@concordat/common/domain/records.js';
import type { SlotTrees } from '@concordat/common/domain/slots.js';
import type { CheckStatement, KeyDirectory, Signer } from '@concordat/common/domain/statement.js';
import type { FollowedTopicPorts } from '@concordat/common/io/chain/followed-topic.js';
import type { Quarantine } from '@concordat/common/io/chain/quarantine.js';
import type { Logger } from '@concordat/common/io/logger.js';
import type { Outbox } from '@concordat/common/io/store/outbox.js';
import type { ScopeLoss } from '../domain/scope-orders.js';
import type { ChildDuty } from '../domain/child-orders.js';
import type { SealAnswer } from '../domain/seal-answer.js';
import type { RevocationStore } from '../io/revocation-store.js';

export interface ClosedDuty {
  readonly child: EventId;
  readonly orderId: OrderId;
  /** of the certificate's statement */
  readonly certificateHash: Hash;
}

/** The own node, as far as revocation needs it. */
/** The own node, as far as sealing needs it. */
export interface SealingNode {
  /**
   * Seals the order's cover, destroys its keys and answers once the ledger's broker has the seal. The same order gets the
   * same answer. Rejects with a ConcordatError; a retryable one is tried again for ever.
   */
  destroyKeys(
    order: Uint8Array,
    signal: AbortSignal,
    approvals: readonly Uint8Array[],
  ): Promise<SealAnswer>;
}

/** What the own node signed about a member. */
export interface SignedChange {
  /** signed membership change */
  readonly change: Uint8Array;
  /** newest number of the own ledger then or later: no key release to that member comes after it */
  readonly ledgerHead: number;
}

/** The own node, as far as who leaves is concerned. Both calls get the same answer when they are made again. */
export interface MemberRegister {
  /** Rejects with a ConcordatError; a retryable one is tried again for ever. */
  letMemberGo(
    order: Uint8Array,
    signal: AbortSignal,
    approvals: readonly Uint8Array[],
  ): Promise<SignedChange>;
  letMemberBeGone(member: MemberId, signal: AbortSignal): Promise<SignedChange>;
}

/** One page of what recipients hold and would be withheld from them today. */
export interface ScopePage {
  /** policy and time that it rests on */
  readonly standing: string;
  readonly losses: readonly ScopeLoss[];
  /** where the next page begins; 0: there is none */
  readonly next: number;
}

/** The own node's word on what left scope. */
export interface ScopeSource {
  /**
   * @param asked `knownStanding`: nothing is looked at while it stands; `after`: `next` of the page before
   * @throws ConcordatError when nobody knows: then nothing is ordered
   */
  scopeLosses(
    asked: { readonly knownStanding: string; readonly after: number },
    signal: AbortSignal,
  ): Promise<ScopePage>;
}

export interface ClosedDuty {
  readonly child: EventId;
  readonly orderId: OrderId;
  /** of the certificate's statement */
  readonly certificateHash: Hash;
}

/** What derived events need of others: duties of the own node, certificates of other members' revocation services. */
export interface ChildPorts {
  /** Own events whose parents are taken back, and whose certificate the node does not know yet. */
  listDuties(signal: AbortSignal): Promise<readonly ChildDuty[]>;
  /** The certificate of the order that purged `child` is complete. The same again changes nothing. */
  closeDuty(done: ClosedDuty, signal: AbortSignal): Promise<void>;
  /** The certificate of an order of `holder`, as DSSE JSON. */
  askForCertificate(holder: MemberId, orderId: OrderId, signal: AbortSignal): Promise<string>;
}

/** What every flow works with. The store belongs to this process alone, and every commit is synchronous. */
export interface RevocationContext {
  readonly self: MemberId;
  /** every other member of the federation */
  readonly others: readonly MemberId[];
  readonly codec: RecordCodec;
  readonly trees: SlotTrees;
  readonly keys: KeyDirectory;
  /** `verifyStatement` with these keys; one that was verified before is not verified again */
  readonly statements: CheckStatement;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly store: RevocationStore;
  readonly outbox: Outbox;
  readonly quarantine: Quarantine;
  readonly node: SealingNode;
  readonly register: MemberRegister;
  readonly scope: ScopeSource;
  readonly derived: ChildPorts;
  readonly logger: Logger;
  readonly ruleOrderDeadlineMs: number;
  /** events that one person may take back alone within 24 hours */
  readonly approvalsAbove: number;
}

/** How a flow of this service follows a chain. */
export function followPorts({
  store,
  clock,
  logger,
  quarantine,
}: RevocationContext): FollowedTopicPorts {
  return {
    ...{ db: store.db, chains: store.chains, clock, quarantine },
    onNotice: (error, { topic, lane }) =>
      logger.warn('a record was refused, or is missing', { topic, lane, error }),
  };
}
