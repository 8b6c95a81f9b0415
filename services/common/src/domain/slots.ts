import { equalBytes } from './bytes.js';
import { ConcordatError } from './errors.js';
import type { Hash } from './ids.js';
import { inclusionPath, isIncluded, leafHash, merkleRoot } from './merkle.js';
import type { LedgerStatement, RecordCodec, Slot, SlotTable } from './records.js';
import { type Result, err, ok } from './result.js';
import { slotSalt } from './sealing.js';

/**
 * A ledger record signs one salted slot per leaf of its block, so that a certificate can open the slots of the
 * ordered leaves and nothing else: other events and their recipients stay hidden.
 */
function slotAt(table: SlotTable, leaf: number): Slot {
  const entry = table.leaves.find((one) => one.leaf === leaf);
  const salt = slotSalt(table.seed, leaf);
  if (!entry) return { salt, leaf, kind: 'EMPTY', recipient: '', sections: [], orderId: null };
  const { kind, recipient, orderId } = table;
  return { salt, leaf, kind, recipient, sections: entry.sections, orderId };
}

function slotHashes(codec: RecordCodec, table: SlotTable, treeSize: number): Hash[] {
  return Array.from({ length: treeSize }, (_, leaf) =>
    leafHash(codec.encode('Slot', slotAt(table, leaf))),
  );
}

export function slotRoot(codec: RecordCodec, table: SlotTable, treeSize: number): Hash {
  return merkleRoot(slotHashes(codec, table, treeSize));
}

/** One slot with the path to the root that the record signs. */
export function openSlot(
  codec: RecordCodec,
  table: SlotTable,
  tree: { readonly treeSize: number; readonly leaf: number },
): { readonly slot: Uint8Array; readonly path: readonly Hash[] } {
  const hashes = slotHashes(codec, table, tree.treeSize);
  return {
    slot: codec.encode('Slot', slotAt(table, tree.leaf)),
    path: inclusionPath(hashes, tree.leaf),
  };
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
  table: SlotTable,
): boolean {
  if (table.kind !== statement.kind) return false;
  if (!table.leaves.every(({ leaf }) => leaf >= 0 && leaf < statement.treeSize)) return false;
  return equalBytes(slotRoot(codec, table, statement.treeSize), statement.root);
}
