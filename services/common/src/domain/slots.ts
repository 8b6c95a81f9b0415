import { BLOCK_ENVELOPES_MAX } from './block.js';
import { BoundedMap } from './bounded-map.js';
import { bytesKey, equalBytes } from './bytes.js';
import { ConcordatError } from './errors.js';
import type { Hash } from './ids.js';
import { isIncluded, leafHash, merkleRoot, pathIn, treeLevels } from './merkle.js';
import type { LedgerStatement, RecordCodec, SealTable, Slot, SlotTable } from './records.js';
import { type Result, err, ok } from './result.js';
import { slotSalts } from './sealing.js';

/**
 * The body of a ledger record. It signs one salted slot per leaf of its block, so that a certificate can open the slots of
 * the ordered leaves and nothing else: other events, their recipients and the orders about them stay hidden.
 */
export type Slots = SlotTable | SealTable;

type Content = Pick<Slot, 'kind' | 'recipient' | 'sections' | 'orderId'>;

const EMPTY: Content = { kind: 'EMPTY', recipient: '', sections: [], orderId: null };

/**
 * The body of a record of this kind. The seals of one order, as they were written once, are slot tables too.
 *
 * @returns what the codec refuses it for
 */
export function readSlots(
  codec: RecordCodec,
  kind: Exclude<LedgerStatement['kind'], 'PUBLICATION'>,
  body: Uint8Array,
): Result<Slots, ConcordatError> {
  if (kind === 'RELEASE') return codec.decode('SlotTable', body);
  const seals = codec.decode('SealTable', body);
  const isOlder = !seals.ok && seals.error.code === 'SCHEMA_UNKNOWN';
  return isOlder ? codec.decode('SlotTable', body) : seals;
}

function kindOf(table: Slots): LedgerStatement['kind'] {
  return 'kind' in table ? table.kind : 'SEAL';
}

function slotAt(
  contents: ReadonlyMap<number, Content>,
  { leaf, salt }: Pick<Slot, 'leaf' | 'salt'>,
): Slot {
  const { kind, recipient, sections, orderId } = contents.get(leaf) ?? EMPTY;
  return { salt, leaf, kind, recipient, sections, orderId };
}

/** What stands in the slots that are not empty, by leaf. */
function contentsOf(table: Slots): Map<number, Content> {
  if (!('kind' in table)) {
    return new Map(
      table.leaves.map(({ leaf, orderId }) => [leaf, { ...EMPTY, kind: 'SEAL', orderId }]),
    );
  }
  const { kind, recipient, orderId } = table;
  return new Map(
    table.leaves.map(({ leaf, sections }) => [leaf, { kind, recipient, sections, orderId }]),
  );
}

function slotHashes(codec: RecordCodec, table: Slots, treeSize: number): Hash[] {
  const contents = contentsOf(table);
  const saltOf = slotSalts(table.seed);
  return Array.from({ length: treeSize }, (_, leaf) =>
    leafHash(codec.encode('Slot', slotAt(contents, { leaf, salt: saltOf(leaf) }))),
  );
}

export function slotRoot(codec: RecordCodec, table: Slots, treeSize: number): Hash {
  return merkleRoot(slotHashes(codec, table, treeSize));
}

/** A slot's bytes with the path to the root that its record signs. */
export interface Opened {
  readonly slot: Uint8Array;
  readonly path: readonly Hash[];
}

/** One slot with the path to the root that the record signs. */
export function openSlot(
  codec: RecordCodec,
  table: Slots,
  tree: { readonly treeSize: number; readonly leaf: number },
): Opened {
  const [opened] = openSlots(codec, table, { treeSize: tree.treeSize, leaves: [tree.leaf] });
  if (!opened) throw new TypeError('one leaf in, one slot out');
  return opened;
}

/** Several slots of one record, in the order of `leaves`. */
export function openSlots(
  codec: RecordCodec,
  table: Slots,
  tree: { readonly treeSize: number; readonly leaves: readonly number[] },
): Opened[] {
  return tree.leaves.map(opener(codec, table, tree.treeSize));
}

/** Opens slots of one record, each as often as it is asked for. */
function opener(codec: RecordCodec, table: Slots, treeSize: number): (leaf: number) => Opened {
  const contents = contentsOf(table);
  const saltOf = slotSalts(table.seed);
  const levels = treeLevels(slotHashes(codec, table, treeSize));
  return (leaf) => ({
    slot: codec.encode('Slot', slotAt(contents, { leaf, salt: saltOf(leaf) })),
    path: pathIn(levels, leaf),
  });
}

/** Trees that are remembered, with their tables some 60 KiB each when their block was full. */
const TREES_MAX = 256;

/**
 * Opens slots of the same records again and again, as the certificates of a block's events do: each of them opens every
 * record of the block's chain. A table and its tree are remembered by the root, which no other table leads to.
 */
export class SlotTrees {
  readonly #codec: RecordCodec;
  readonly #known = new BoundedMap<string, (leaf: number) => Opened>(TREES_MAX);

  constructor(codec: RecordCodec) {
    this.#codec = codec;
  }

  /** @param table asked for when the tree is not known */
  open(
    { treeSize, root }: Pick<LedgerStatement, 'treeSize' | 'root'>,
    table: () => Slots,
    leaves: readonly number[],
  ): Opened[] {
    const key = bytesKey(root);
    const open = this.#known.get(key) ?? opener(this.#codec, table(), treeSize);
    this.#known.set(key, open);
    return leaves.map(open);
  }
}

/** The slot of `leaf`, if it is really the one that `statement` signs. */
export function verifySlot(
  codec: RecordCodec,
  statement: Pick<LedgerStatement, 'treeSize' | 'root' | 'kind'>,
  opened: { readonly slot: Uint8Array; readonly path: readonly Hash[] },
  leaf: number,
): Result<Slot, ConcordatError> {
  const slot = codec.decode('Slot', opened.slot);
  if (!slot.ok) return slot;
  const included = isIncluded({
    leaf: leafHash(opened.slot),
    index: leaf,
    size: statement.treeSize,
    path: opened.path,
    root: statement.root,
  });
  if (!included || slot.value.leaf !== leaf) {
    return err(new ConcordatError('CHAIN_BROKEN', 'a slot does not lead to the signed root'));
  }
  if (slot.value.kind !== 'EMPTY' && slot.value.kind !== statement.kind) {
    return err(new ConcordatError('CHAIN_BROKEN', 'a slot is of another kind than its record'));
  }
  return ok(slot.value);
}

/** Does a ledger record's body belong to its statement? */
export function isSlotTableOf(
  codec: RecordCodec,
  statement: Pick<LedgerStatement, 'treeSize' | 'root' | 'kind'>,
  table: Slots,
): boolean {
  const { treeSize } = statement;
  // before anything is allocated by what the statement claims
  if (treeSize < 1 || treeSize > BLOCK_ENVELOPES_MAX || kindOf(table) !== statement.kind)
    return false;
  if (!table.leaves.every(({ leaf }) => leaf >= 0 && leaf < treeSize)) return false;
  // a second entry of one leaf would lead to the same root, and say something else
  if (new Set(table.leaves.map(({ leaf }) => leaf)).size !== table.leaves.length) return false;
  return equalBytes(slotRoot(codec, table, treeSize), statement.root);
}
