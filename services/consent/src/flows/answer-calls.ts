import type { Policy } from '@concordat/common/domain/agreement.js';
import { ConcordatError, fieldError } from '@concordat/common/domain/errors.js';
import {
  type EventId,
  type MemberId,
  asUnixMs,
  parseEventId,
  parseMemberId,
} from '@concordat/common/domain/ids.js';
import { releaseFacts } from '@concordat/common/domain/release-facts.js';
import type { ConsentService } from '@concordat/common/io/rpc/definitions.js';
import type { Handlers } from '@concordat/common/io/rpc/server.js';
import type { Decided } from '../io/consent-store.js';
import type { ConsentContext } from './context.js';
import { voidFeed } from './void-feed.js';

/** The calls of the own operator: counts, and why one event went to a member or did not. */
export function answerCalls(
  context: ConsentContext,
  told: {
    readonly namedGaps: (gaps: readonly string[]) => string[];
    /** the agreements file as it is now */
    readonly readPolicy: () => Policy;
  },
): Handlers<typeof ConsentService> {
  const { self, store, recipients } = context;
  return {
    status: async () => ({
      member: self,
      decided: store.decidedEvents(),
      recipients: store.counts(recipients),
      outbox: store.chains.outboxSize(),
      counters: store.chains.counters(),
      gaps: told.namedGaps(store.chains.gaps()),
    }),
    explain: async ({ eventId, recipient }) => {
      const id = parseEventId(eventId);
      const member = parseMemberId(recipient);
      if (!id.ok) throw fieldError('REQUEST_INVALID', 'event_id', 'expected a UUIDv7');
      if (!member.ok || member.value === self) {
        throw fieldError('REQUEST_INVALID', 'recipient', 'expected the id of another member');
      }
      return withFacts(context, member.value, explain(context, id.value, member.value));
    },
    reloadPolicy: async () => {
      context.policy.use(told.readPolicy());
      const { version } = context.policy;
      store.usePolicy(version, context.clock.nowMs());
      return { policyVersion: version };
    },
    voidFeed: async ({ recipient, lane, fromNumber, toNumber, reason }) => {
      const member = parseMemberId(recipient);
      if (!member.ok) throw fieldError('REQUEST_INVALID', 'recipient', 'expected a member id');
      const range = { lane, from: fromNumber, to: toNumber, reason };
      return voidFeed(context, { recipient: member.value, ...range });
    },
  };
}

/** What the decision rested on, as long as agreements and consents are still those of then. */
function withFacts({ self, store, policy }: ConsentContext, recipient: MemberId, decided: Decided) {
  const { category, decidedAtMs } = decided;
  const version = store.policyAt(asUnixMs(decidedAtMs));
  const policyChanged = version !== policy.version;
  const about = { origin: self, recipient, category };
  const facts = policyChanged ? [] : releaseFacts(policy.policy, about, asUnixMs(decidedAtMs));
  return { ...decided, policyVersion: version, facts, policyChanged };
}

function explain({ store, recipients }: ConsentContext, id: EventId, recipient: MemberId): Decided {
  const decided = store.decided(id, recipient);
  if (decided) return decided;
  const known = recipients.includes(recipient) ? undefined : store.decidedForAnybody(id);
  if (!known) throw new ConcordatError('EVENT_UNKNOWN', `nothing was decided on event ${id}`);
  const { category, decidedAtMs } = known;
  return {
    outcome: 'WITHHELD',
    reason: 'NO_AGREEMENT',
    ruleId: '',
    agreementId: '',
    agreementVersion: 0,
    sections: [],
    purposes: [],
    deleteByMs: 0,
    category,
    decidedAtMs,
  };
}
