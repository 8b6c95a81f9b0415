import { setImmediate as turn } from 'node:timers/promises';
import { meantFor } from '@concordat/common/domain/decide-release.js';
import type { EventId, MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import { takesSection } from '@concordat/common/domain/purge-order.js';
import type { ReleaseRules } from '@concordat/common/domain/release-rules.js';
import { grouped } from '@concordat/common/io/store/packed.js';
import { ALWAYS } from '../domain/selector.js';
import { type BlockPlace, type OwnEvent, blockKey } from '../io/state/own-publications.js';
import type { NodeContext } from './context.js';
import { releasesOfBlock } from './recorded-releases.js';
import { rowsOf } from './select-events.js';

/** A page ends after the block with which it has so many events. */
const PAGE_EVENTS = 2_000;
/** A page that finds little ends after looking at so many releases: the caller's deadline does not wait for all. */
const PAGE_SCANNED = 10_000;
/** Blocks that are read together; after each that is looked at, others have their turn. */
const PIECE_BLOCKS = 16;

/** Events of which one recipient was given keys that would be withheld from it today. */
export interface ScopeLoss {
  readonly recipient: MemberId;
  /** empty: whole events */
  readonly sections: readonly string[];
  readonly ids: readonly EventId[];
}

export interface ScopePage {
  /** policy and time that it rests on */
  readonly standing: string;
  readonly losses: readonly ScopeLoss[];
  /** where the next page begins; 0: there is none */
  readonly next: number;
}

/** What one recipient holds of one event: was given, and is taken by no seal. */
interface Held {
  readonly id: EventId;
  readonly recipient: MemberId;
  readonly sections: readonly string[];
}

/**
 * What recipients were given and these rules would withhold from them today, from the ledger's own records, block by block.
 * A member that leaves is left out: everything is taken back from it anyway.
 *
 * @param after `next` of the page before
 */
export async function scopeLosses(
  context: NodeContext,
  rules: ReleaseRules,
  after: number,
): Promise<ScopePage> {
  const { state, clock } = context;
  const nowMs = clock.nowMs();
  const lost: (Held & { readonly lost: readonly string[] })[] = [];
  const page = (next: number): ScopePage => ({
    standing: rules.standing(nowMs),
    losses: byCover(lost),
    next,
  });
  let [scanned, last] = [0, after];
  for (;;) {
    const blocks = state.ledger.publications(last, ALWAYS, PIECE_BLOCKS);
    for (const block of blocks) {
      last = block.ledgerNumber;
      const ids = rowsOf(context, block).map(({ id }) => id);
      const held = heldOf(context, block, ids);
      scanned += 1 + held.length;
      for (const one of held) {
        const sections = lossOf(context, rules, one, nowMs);
        if (sections) lost.push({ ...one, lost: sections });
      }
      if (lost.length >= PAGE_EVENTS || scanned >= PAGE_SCANNED) return page(last);
      await turn();
    }
    if (blocks.length < PIECE_BLOCKS) return page(0);
  }
}

/** Of these events of one block, those of which this recipient holds something that would be withheld today, and what. */
export function lossesAmong(
  context: NodeContext,
  events: ReadonlyMap<EventId, OwnEvent>,
  recipient: MemberId,
  nowMs: UnixMs,
): Map<EventId, readonly string[]> {
  const found = new Map<EventId, readonly string[]>();
  const blocks = grouped([...events], ([, event]) => blockKey(event));
  for (const some of blocks.values()) {
    const [first] = some;
    if (!first) continue;
    const leaves: (EventId | undefined)[] = [];
    for (const [id, { leaf }] of some) leaves[leaf] = id;
    for (const held of heldOf(context, first[1], leaves, recipient)) {
      const lost = lossOf(context, context.rules, held, nowMs);
      if (lost) found.set(held.id, lost);
    }
  }
  return found;
}

/** Sections of an own event that a member was given and that no seal takes; [] for one that leaves. */
export function sectionsHeld(
  context: NodeContext,
  { id, event }: { readonly id: EventId; readonly event: OwnEvent },
  member: MemberId,
): readonly string[] {
  const leaves: (EventId | undefined)[] = [];
  leaves[event.leaf] = id;
  return heldOf(context, event, leaves, member)[0]?.sections ?? [];
}

/** @param ids of the block's events, leaf by leaf; leaves without one are not asked about */
function heldOf(
  context: NodeContext,
  block: BlockPlace,
  ids: readonly (EventId | undefined)[],
  only?: MemberId,
): Held[] {
  const { state, self } = context;
  const asked = ids.filter((id) => id !== undefined);
  const buried = state.tombstones.buriedAmong(self, asked);
  const byRecipient = grouped(releasesOfBlock(context, block, only), ({ recipient }) => recipient);
  return [...byRecipient].flatMap(([recipient, releases]) => {
    if (state.membership.isLeaving(recipient)) return [];
    const covers = state.covers.among(asked, recipient);
    return [...grouped(releases, ({ leaf }) => leaf)].flatMap(([leaf, some]) => {
      const id = ids[leaf];
      if (id === undefined || buried.has(id)) return [];
      const given = new Set(some.flatMap(({ sections }) => sections));
      const sections = [...given].filter(
        (name) => !(covers.get(id) ?? []).some((cover) => takesSection(cover, name)),
      );
      return sections.length === 0 ? [] : [{ id, recipient, sections }];
    });
  });
}

/**
 * Sections that would be withheld today, [] for the whole event; undefined: none. What was given keeps the delete-by that it was
 * given with, and an audience never changes: who stands in the ledger was meant, by it or at a holder's request.
 */
function lossOf(
  { recent, self }: NodeContext,
  rules: ReleaseRules,
  { id, recipient, sections }: Held,
  nowMs: UnixMs,
): readonly string[] | undefined {
  const header = recent.get(self, id)?.header;
  // a lost row proves nothing
  if (!header) return undefined;
  const decision = rules.decide(meantFor(recipient, header), nowMs);
  if (decision.outcome === 'withheld') {
    return decision.reason === 'RETENTION_PASSED' ? undefined : [];
  }
  const lost = sections.filter((name) => !decision.terms.sections.includes(name)).sort();
  return lost.length === 0 ? undefined : lost;
}

function byCover(
  lost: readonly (Held & { readonly lost: readonly string[] })[],
): readonly ScopeLoss[] {
  const groups = grouped(lost, (one) => `${one.recipient} ${one.lost.join(' ')}`);
  return [...groups.values()].flatMap((some) => {
    const [first] = some;
    if (!first) return [];
    return [{ recipient: first.recipient, sections: first.lost, ids: some.map(({ id }) => id) }];
  });
}
