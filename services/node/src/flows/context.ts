import type { MemberId } from '@concordat/common/domain/ids.js';
import type { Clock, Random } from '@concordat/common/domain/ports.js';
import type { ReleaseRules } from '@concordat/common/domain/release-rules.js';
import type { RecordCodec } from '@concordat/common/domain/records.js';
import type { KeyDirectory, Signer } from '@concordat/common/domain/statement.js';
import type { CategoryCodec } from '@concordat/common/io/avro/category-codec.js';
import type { FollowedTopicPorts } from '@concordat/common/io/chain/followed-topic.js';
import type { Quarantine } from '@concordat/common/io/chain/quarantine.js';
import type { Outbox } from '@concordat/common/io/store/outbox.js';
import type { DataStore } from '../io/data-store.js';
import type { StateStore } from '../io/state-store.js';
import type { Vault } from '../io/vault.js';
import type { LeasedKeys } from './leases/leased-keys.js';
import type { Notices } from './notices.js';
import type { PolicyInForce } from './policy-in-force.js';
import type { RecentHeaders } from './recent-headers.js';

/** What every flow of the node works with. All stores belong to this process alone, and every commit is synchronous. */
export interface NodeContext {
  readonly self: MemberId;
  readonly codec: RecordCodec;
  readonly categories: CategoryCodec;
  readonly keys: KeyDirectory;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly random: Random;
  readonly policy: PolicyInForce;
  /** of the policy that is in force; asked for at each decision */
  readonly rules: ReleaseRules;
  /** events that one person may take back alone within 24 hours */
  readonly approvalsAbove: number;
  readonly data: DataStore;
  readonly vault: Vault;
  readonly leases: LeasedKeys;
  readonly state: StateStore;
  readonly outbox: Outbox;
  /** one for each store that refuses */
  readonly quarantine: { readonly data: Quarantine; readonly state: Quarantine };
  readonly notices: Notices;
  readonly recent: RecentHeaders;
  readonly warn: (code: string, message: string) => void;
}

/** How a flow of this node follows a chain, with its place in one of the stores. */
export function followPorts(context: NodeContext, store: 'data' | 'state'): FollowedTopicPorts {
  const { clock, warn, quarantine } = context;
  const { db, chains } = context[store];
  return {
    ...{ db, chains, clock, quarantine: quarantine[store] },
    onNotice: ({ code, message }, { topic, lane }) =>
      warn(code, `${topic}/${String(lane)}: ${message}`),
  };
}
