import type { MemberId } from '@concordat/common/domain/ids.js';
import type { Clock } from '@concordat/common/domain/ports.js';
import type { RecordCodec } from '@concordat/common/domain/records.js';
import type { KeyDirectory, Signer } from '@concordat/common/domain/statement.js';
import type { FollowedTopicPorts } from '@concordat/common/io/chain/followed-topic.js';
import type { Quarantine } from '@concordat/common/io/chain/quarantine.js';
import type { Logger } from '@concordat/common/io/logger.js';
import type { Outbox } from '@concordat/common/io/store/outbox.js';
import type { ConsentStore } from '../io/consent-store.js';
import type { PolicyInForce } from './policy-in-force.js';

/** What every flow works with. The store belongs to this process alone, and every commit is synchronous. */
export interface ConsentContext {
  readonly self: MemberId;
  readonly codec: RecordCodec;
  readonly keys: KeyDirectory;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly policy: PolicyInForce;
  /** the other parties of our agreements, in order */
  readonly recipients: readonly MemberId[];
  readonly store: ConsentStore;
  readonly outbox: Outbox;
  readonly quarantine: Quarantine;
  readonly logger: Logger;
}

/** How a flow of this service follows a chain. */
export function followPorts({
  store,
  clock,
  logger,
  quarantine,
}: ConsentContext): FollowedTopicPorts {
  return {
    ...{ db: store.db, chains: store.chains, clock, quarantine },
    onNotice: (error, { topic, lane }) =>
      logger.warn('a record was refused, or is missing', { topic, lane, error }),
  };
}
