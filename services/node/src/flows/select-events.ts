import { setImmediate as turn } from 'node:timers/promises';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import type { PublicationRow } from '@concordat/common/domain/records.js';
import { grouped } from '@concordat/common/io/store/packed.js';
import { type Selector, isAlways, isWithin, takesCategory } from '../domain/selector.js';
import type { PublicationRecord } from '../io/state/ledger-table.js';
import { blockKey } from '../io/state/own-publications.js';
import type { NodeContext } from './context.js';
import { type RecordedRelease, releasesOfBlock } from './recorded-releases.js';

/** A page ends after the block with which it has so many events. */
const PAGE_EVENTS = 2_000;
/** A page that finds little ends after looking at so many events: the caller's deadline does not wait for all. */
const PAGE_SCANNED = 20_000;
/** Blocks that are read together; after each that is looked at, others have their turn. */
const PIECE_BLOCKS = 16;

/** Events that the same members hold. */
export interface SelectedEvents {
  readonly ids: readonly EventId[];
  readonly holders: readonly MemberId[];
}

export interface SelectedPage {
  readonly events: readonly SelectedEvents[];
  /** where the next page begins; 0: there is none */
  readonly next: number;
  readonly takenBack: readonly EventId[];
  readonly releasesWithoutAgreement: number;
}

type Found = Pick<SelectedPage, 'events' | 'releasesWithoutAgreement'>;

/**
 * Own events that a selector takes and that are not taken back, with who was given their keys. From the ledger's own
 * records, block by block: so the events of a block stand together, and an order for them seals it once.
 *
 * @param after `next` of the page before
 * @throws ConcordatError EVENT_UNKNOWN when an id is asked for that was not published here
 */
export async function selectEvents(
  context: NodeContext,
  selector: Selector,
  after: number,
): Promise<SelectedPage> {
  return selector.ids.length > 0
    ? selectByIds(context, selector)
    : selectFrom(context, selector, after);
}

async function selectFrom(
  context: NodeContext,
  selector: Selector,
  after: number,
): Promise<SelectedPage> {
  const found: Found[] = [];
  let [scanned, taken, next] = [0, 0, after];
  while (scanned < PAGE_SCANNED && taken < PAGE_EVENTS) {
    const blocks = context.state.ledger.publications(next, selector.published, PIECE_BLOCKS);
    for (const block of blocks) {
      next = block.ledgerNumber;
      const rows = rowsOf(context, block);
      const some = selectIn(context, selector, block, [...rows.entries()]);
      found.push(some);
      scanned += rows.length;
      taken += some.events.reduce((sum, { ids }) => sum + ids.length, 0);
      if (taken >= PAGE_EVENTS) break;
      await turn();
    }
    if (blocks.length < PIECE_BLOCKS && taken < PAGE_EVENTS) {
      next = 0;
      break;
    }
  }
  return { ...joined(found), next, takenBack: [] };
}

/** One page: an answer has room for as many ids as a question. */
async function selectByIds(context: NodeContext, selector: Selector): Promise<SelectedPage> {
  const { state, self } = context;
  const ids = [...new Set(selector.ids)];
  const own = state.own.events(ids);
  const unknown = ids.find((id) => !own.has(id));
  if (unknown !== undefined) {
    throw new ConcordatError('EVENT_UNKNOWN', `expected an event published here, got ${unknown}`);
  }
  const found: Found[] = [];
  const byBlock = [...grouped([...own], ([, event]) => blockKey(event)).values()];
  for (const some of byBlock) {
    const wanted = new Set(some.map(([, { leaf }]) => leaf));
    const [first] = some;
    const block = first && state.ledger.publicationOf(first[1]);
    if (!block) throw new ConcordatError('INTERNAL', 'an own event without its publication');
    if (!isWithin(selector.published, block.atMs)) continue;
    const rows = [...rowsOf(context, block).entries()].filter(([leaf]) => wanted.has(leaf));
    found.push(selectIn(context, selector, block, rows));
    await turn();
  }
  const takenBack = [...state.tombstones.buriedAmong(self, ids)];
  return { ...joined(found), next: 0, takenBack };
}

type Leaf = readonly [leaf: number, row: PublicationRow];

/** The cheap questions first: few events are left for those that open a row. */
function selectIn(
  context: NodeContext,
  selector: Selector,
  block: PublicationRecord,
  leaves: readonly Leaf[],
): Found {
  const { state, vault, self } = context;
  let left = leaves.filter(([, row]) => takesCategory(selector, row.category));
  const narrow = (isTaken: (ids: readonly EventId[]) => ReadonlySet<EventId>): void => {
    if (left.length === 0) return;
    const taken = isTaken(left.map(([, { id }]) => id));
    left = left.filter(([, { id }]) => taken.has(id));
  };
  narrow((ids) => {
    const buried = state.tombstones.buriedAmong(self, ids);
    return new Set(ids.filter((id) => !buried.has(id)));
  });
  if (selector.subjects.length > 0) narrow((ids) => vault.about(self, ids, selector.subjects));
  if (!isAlways(selector.collected)) {
    narrow((ids) => new Set(ids.filter((id) => isCollectedThen(context, selector, id))));
  }
  if (left.length === 0) return { events: [], releasesWithoutAgreement: 0 };
  const releases = grouped(releasesOfBlock(context, block), ({ leaf }) => leaf);
  return byHolders(context, selector, left, releases);
}

function byHolders(
  { state }: NodeContext,
  selector: Selector,
  leaves: readonly Leaf[],
  releases: ReadonlyMap<number, readonly RecordedRelease[]>,
): Found {
  let releasesWithoutAgreement = 0;
  const agreements = new Map<number, ReadonlyMap<string, Uint8Array>>();
  const isUnder = ({ ledgerNumber, leaf }: RecordedRelease): boolean => {
    const known = agreements.get(ledgerNumber) ?? state.ledger.agreementsOf(ledgerNumber);
    agreements.set(ledgerNumber, known);
    if (known.size === 0) releasesWithoutAgreement += 1;
    return selector.agreements.some((name) => isSet(known.get(name), leaf));
  };
  /** One release has to fit both: to that member, under that agreement. */
  const isTaken = (given: readonly RecordedRelease[]): boolean => {
    if (selector.holders.length + selector.agreements.length === 0) return true;
    const to = given.filter(
      ({ recipient }) => selector.holders.length === 0 || selector.holders.includes(recipient),
    );
    // every release is looked at, so that all of unknown agreements are counted
    return (selector.agreements.length === 0 ? to : to.filter(isUnder)).length > 0;
  };
  const taken = leaves.flatMap(([leaf, { id }]) => {
    const given = releases.get(leaf) ?? [];
    const holders = [...new Set(given.map(({ recipient }) => recipient))].sort();
    return isTaken(given) ? [{ id, holders }] : [];
  });
  const events = [...grouped(taken, ({ holders }) => holders.join(' ')).values()].map((some) => ({
    ids: some.map(({ id }) => id),
    holders: some[0]?.holders ?? [],
  }));
  return { events, releasesWithoutAgreement };
}

function isSet(bits: Uint8Array | undefined, leaf: number): boolean {
  return (((bits?.[leaf >> 3] ?? 0) >> (leaf & 7)) & 1) === 1;
}

function isCollectedThen({ recent, self }: NodeContext, { collected }: Selector, id: EventId) {
  const header = recent.get(self, id)?.header;
  return header !== undefined && isWithin(collected, header.collectedAtMs);
}

/** What the publication says of each leaf. */
export function rowsOf(
  { codec }: NodeContext,
  { record }: PublicationRecord,
): readonly PublicationRow[] {
  const decoded = codec.decode('LedgerRecord', record);
  const table = decoded.ok ? codec.decode('PublicationTable', decoded.value.body) : decoded;
  if (table.ok) return table.value.rows;
  throw new ConcordatError('INTERNAL', 'an own publication does not decode', {
    cause: table.error,
  });
}

function joined(found: readonly Found[]): Found {
  return {
    events: found.flatMap(({ events }) => events),
    releasesWithoutAgreement: found.reduce(
      (sum, { releasesWithoutAgreement }) => sum + releasesWithoutAgreement,
      0,
    ),
  };
}
