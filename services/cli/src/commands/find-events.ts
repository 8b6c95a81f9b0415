import type { EventId } from '@concordat/common/domain/ids.js';
import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { type HeldEvents, ORDER_EVENTS_MAX, PARTS_MAX } from '../domain/purge-plan.js';
import { DOORS, withClient } from '../io/session.js';
import type { MemberOptions, Surroundings } from './options.js';

/** Ids that one question may have. */
const IDS_MAX = 4_096;

export interface FoundEvents {
  /** that an order may take back */
  readonly free: readonly HeldEvents[];
  /** asked for by id, and gone */
  readonly takenBack: readonly string[];
  /** that an order covers already, though their keys are still there */
  readonly ordered: number;
  readonly releasesWithoutAgreement: number;
  readonly approvalsAbove: number;
}

type Selector = concordat.node.v1.Selector;
type Page = concordat.node.v1.SelectEventsResponse;

/**
 * What a purge by this selector would cover: asked of the member's node, page by page, less what its revocation service has
 * orders for.
 *
 * @throws ConcordatError REQUEST_INVALID for more than a purge takes
 */
export async function findEvents(
  selector: Selector,
  options: MemberOptions,
  { call, print }: Pick<Surroundings, 'call' | 'print'>,
): Promise<FoundEvents> {
  const pages: Page[] = [];
  await withClient(options, DOORS.operator, async (node) => {
    for (const eventIds of pieces(selector.eventIds)) {
      let after = 0;
      do {
        const page = await node.selectEvents({ selector: { ...selector, eventIds }, after }, call);
        pages.push(page);
        after = page.next;
        const count = pages.reduce((sum, one) => sum + countOf(one), 0);
        demandPurge(count);
        if (after > 0) print.progress(`found ${count} events so far`);
      } while (after > 0);
    }
  });
  const all = pages.flatMap(({ events }) => events);
  const ordered = await orderedAmong(
    all.flatMap(({ eventIds }) => eventIds),
    options,
    { call },
  );
  return {
    free: all.map(({ eventIds, holders }) => ({
      ids: eventIds.filter((id) => !ordered.has(id)) as EventId[],
      holders,
    })),
    ordered: ordered.size,
    takenBack: pages.flatMap(({ takenBack }) => takenBack),
    releasesWithoutAgreement: pages.reduce((sum, one) => sum + one.releasesWithoutAgreement, 0),
    approvalsAbove: Math.min(...pages.map(({ approvalsAbove }) => approvalsAbove)),
  };
}

function countOf({ events }: Page): number {
  return events.reduce((sum, { eventIds }) => sum + eventIds.length, 0);
}

function demandPurge(count: number): void {
  const most = ORDER_EVENTS_MAX * PARTS_MAX;
  if (count <= most) return;
  const text = `expected a selector of at most ${most} events, this one takes more: order in several purges`;
  throw new ConcordatError('REQUEST_INVALID', text);
}

async function orderedAmong(
  ids: readonly string[],
  options: MemberOptions,
  { call }: Pick<Surroundings, 'call'>,
): Promise<ReadonlySet<string>> {
  const ordered = new Set<string>();
  await withClient(options, DOORS.purge, async (revocation) => {
    for (let at = 0; at < ids.length; at += IDS_MAX) {
      const eventIds = ids.slice(at, at + IDS_MAX);
      const answer = await revocation.covered({ eventIds }, call);
      for (const id of answer.eventIds) ordered.add(id);
    }
  });
  return ordered;
}

/** At least one: a selector without ids is asked too. */
function pieces(ids: readonly string[]): string[][] {
  const count = Math.max(1, Math.ceil(ids.length / IDS_MAX));
  return Array.from({ length: count }, (_, at) => ids.slice(at * IDS_MAX, (at + 1) * IDS_MAX));
}
