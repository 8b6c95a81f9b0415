import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId, MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import type { RecordCodec, SlotTable } from '@concordat/common/domain/records.js';
import { grouped } from '@concordat/common/io/store/packed.js';
import { type BlockPlace, type OwnEvent, blockKey } from '../io/state/own-publications.js';
import type { NodeContext } from './context.js';

/** One recorded key release of one leaf. */
export interface RecordedRelease {
  readonly recipient: MemberId;
  readonly leaf: number;
  readonly sections: readonly string[];
  /** of the record that names it */
  readonly ledgerNumber: number;
  readonly atMs: UnixMs;
}

/** What the ledger's own records say of a block: there is no second table of holders that could say something else. */
export function releasesOfBlock(
  { state, codec }: NodeContext,
  block: BlockPlace,
  recipient?: MemberId,
): RecordedRelease[] {
  return state.ledger.releasesOf(block, recipient).flatMap((row) =>
    slotTableOf(codec, row.record).leaves.map(({ leaf, sections }) => ({
      ...{ recipient: row.recipient, leaf, sections },
      ...{ ledgerNumber: row.number, atMs: row.atMs },
    })),
  );
}

/** Who holds keys of these events; every event in the order of `events`. */
export function holdersOf(
  context: NodeContext,
  events: ReadonlyMap<EventId, OwnEvent>,
): Map<EventId, RecordedRelease[]> {
  const holders = new Map<EventId, RecordedRelease[]>(
    [...events.keys()].map((id) => [id, [] as RecordedRelease[]]),
  );
  for (const some of grouped([...events], ([, event]) => blockKey(event)).values()) {
    const [first] = some;
    if (!first) continue;
    const byLeaf = grouped(releasesOfBlock(context, first[1]), ({ leaf }) => leaf);
    for (const [id, { leaf }] of some) holders.set(id, byLeaf.get(leaf) ?? []);
  }
  return holders;
}

/** The body of an own ledger record of kind RELEASE. */
function slotTableOf(codec: RecordCodec, bytes: Uint8Array): SlotTable {
  const record = codec.decode('LedgerRecord', bytes);
  const table = record.ok ? codec.decode('SlotTable', record.value.body) : record;
  if (!table.ok) {
    throw new ConcordatError('INTERNAL', 'an own ledger record does not decode', {
      cause: table.error,
    });
  }
  return table.value;
}
