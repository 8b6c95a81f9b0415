import type { Policy } from '@concordat/common/domain/agreement.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import { ERASED_WITHIN_MS } from '@concordat/common/domain/media-erasure.js';
import { OperatorService, type concordat } from '@concordat/common/io/rpc/definitions.js';
import type { GapFiller } from '@concordat/common/io/chain/gap-filler.js';
import { type Served, serve } from '@concordat/common/io/rpc/server.js';
import type { NodeContext } from '../flows/context.js';
import type { MediaEraser } from '../flows/media-eraser.js';
import type { FreshnessKeeper } from '../flows/keep-fresh.js';
import { overdueReviews } from '../flows/legal-holds.js';
import { holdersOf } from '../flows/recorded-releases.js';
import { selectEvents } from '../flows/select-events.js';
import { stateDigest } from '../flows/state-digest.js';
import { holdCalls } from './hold-calls.js';
import { onwardCalls } from './onward-service.js';
import type { AskOnward } from './peers.js';
import { eventIdField, memberField } from './request-fields.js';
import { selectorField } from './selector-fields.js';
import { rulesIn, scopeAnswer } from './scope-service.js';
import { showEvent } from './show-event.js';

type PartnerStatus = concordat.node.v1.PartnerStatus;

const READINGS_MAX = 1_000;
/** What ends within this time is announced. */
const SOON_MS = 7 * 86_400_000;

export function operatorService(parts: {
  readonly context: NodeContext;
  readonly freshness: ReadonlyMap<MemberId, FreshnessKeeper>;
  /** of an origin's feed and of its purge entries */
  readonly fillers: ReadonlyMap<MemberId, readonly GapFiller[]>;
  readonly eraser: Pick<MediaEraser, 'erase'>;
  /** undefined outside of profile demo */
  readonly rewind: (() => Promise<void>) | undefined;
  /** asks another origin */
  readonly onward: ReadonlyMap<MemberId, AskOnward>;
  /** the agreements file as it is now */
  readonly readPolicy: () => Policy;
}): Served {
  const { context, freshness, fillers, eraser, rewind, readPolicy, onward } = parts;
  const { state, data, self } = context;
  return serve(OperatorService, {
    status: () =>
      Promise.resolve({
        member: self,
        published: state.own.count(),
        outbox: state.chains.outboxSize(),
        partners: [...freshness].map(([member, keeper]) =>
          partnerStatus(context, member, keeper, fillers.get(member)),
        ),
        counters: sums(data.chains.counters(), state.chains.counters()),
        released: state.ledger.releasedCounts(),
        ledgerRecords: state.ledger.count(),
        receipts: state.purges.countReceipts(),
        openReceipts: state.purges.countOpen(),
        holds: state.holds.all().length,
        reviewsOverdue: overdueReviews(context, context.clock.nowMs()).length,
        unerased: state.unerased.count(),
        unerasedOverdue: state.unerased.countBefore(context.clock.nowMs() - ERASED_WITHIN_MS),
      }),
    show: (request) => {
      const origin = memberField('origin', request.origin);
      return Promise.resolve(showEvent(context, origin, eventIdField('event_id', request.eventId)));
    },
    holders: (request) =>
      Promise.resolve(holders(context, eventIdField('event_id', request.eventId))),
    selectEvents: async ({ selector, after }) => {
      const page = await selectEvents(context, selectorField(selector), after);
      return {
        ...page,
        events: page.events.map(({ ids, holders }) => ({ eventIds: ids, holders })),
        approvalsAbove: context.approvalsAbove,
      };
    },
    ...onwardCalls(context, onward),
    reloadPolicy: async () => {
      context.policy.use(readPolicy());
      return { standing: context.rules.standing(context.clock.nowMs()) };
    },
    previewScope: ({ policy, after }) => {
      const rules = policy.length === 0 ? context.rules : rulesIn(policy);
      return scopeAnswer(context, rules, after);
    },
    ...holdCalls(context),
    eraseMedia: async () => {
      const { keys, orders } = await eraser.erase();
      return { keys, orders, level: context.vault.erasure.level };
    },
    listReadings: () =>
      Promise.resolve({
        readings: state.readings
          .newest(READINGS_MAX)
          .map(({ id, ...rest }) => ({ eventId: id, ...rest })),
      }),
    stateDigest: () => Promise.resolve(stateDigest(context)),
    rewind: async () => {
      if (!rewind) {
        throw new ConcordatError('CALLER_NOT_ALLOWED', 'rewinding is for profile demo only');
      }
      await rewind();
      return {};
    },
  });
}

/** Both stores quarantine, and count by the same names. */
function sums(...all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total = new Map<string, number>();
  for (const [name, value] of all.flatMap((one) => Object.entries(one))) {
    total.set(name, (total.get(name) ?? 0) + value);
  }
  return Object.fromEntries(total);
}

function partnerStatus(
  { data, state, clock }: NodeContext,
  member: MemberId,
  keeper: FreshnessKeeper,
  fillers: readonly GapFiller[] = [],
): PartnerStatus {
  const counts = new Map(
    data
      .countByState()
      .filter(({ origin }) => origin === member)
      .map((row) => [row.state, row.n]),
  );
  const gaps = [...data.chains.gaps(), ...state.chains.gaps()];
  return {
    member,
    freshness: keeper.state(),
    purgeApplied: keeper.appliedNumber,
    purgeHead: keeper.head,
    waiting: counts.get('waiting') ?? 0,
    readable: (counts.get('readable') ?? 0) + (counts.get('leased') ?? 0),
    leased: counts.get('leased') ?? 0,
    tombstones: state.tombstones.counts()[member] ?? 0,
    endingSoon: data.countEnding(member, clock.nowMs() + SOON_MS),
    gaps: fillers.flatMap((filler) => filler.named(gaps)),
  };
}

function holders(context: NodeContext, id: EventId): concordat.node.v1.HoldersResponse {
  const { state, self } = context;
  const event = state.own.event(id);
  if (!event) {
    throw new ConcordatError('EVENT_UNKNOWN', `expected an event published here, got ${id}`);
  }
  const found = new Map<string, { sections: Set<string>; atMs: number }>();
  for (const { recipient, sections, atMs } of holdersOf(context, new Map([[id, event]])).get(id) ??
    []) {
    const known = found.get(recipient) ?? { sections: new Set(), atMs };
    for (const section of sections) known.sections.add(section);
    found.set(recipient, known);
  }
  return {
    holders: [...found]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([member, { sections, atMs }]) => ({
        member,
        sections: [...sections].sort(),
        recordedAtMs: atMs,
      })),
    sealed: state.tombstones.isBuried(self, id),
  };
}
