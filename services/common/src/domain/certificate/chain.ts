import { blockRef, sameBlock } from '../block.js';
import { equalBytes } from '../bytes.js';
import { EMPTY_HEAD } from '../chain.js';
import { parseHeader } from '../header.js';
import { type EventId, type MemberId, parseMemberId } from '../ids.js';
import { isIncluded, leafHash } from '../merkle.js';
import { type Cover, isWhole, meets } from '../purge-order.js';
import type { BlockRef, CertifiedBlock, ChainLink, SealRecord, Slot } from '../records.js';
import { verifySlot } from '../slots.js';
import type { Verified } from '../statement.js';
import { type Reading, demand, isSet, need, sameSet } from './rules.js';

/** Who held which of the ordered events, in the order in which the ledger names them. */
export type Holders = ReadonlyMap<MemberId, ReadonlySet<EventId>>;

/** The complete ledger chains of all ordered events, up to this order's seals: they name the holders. */
export function checkBlocks(
  reading: Reading,
  blocks: readonly CertifiedBlock[],
  seal: SealRecord,
): Holders {
  const found = new Map<MemberId, Set<EventId>>();
  const ids: EventId[] = [];
  const sealed: string[] = [];
  for (const block of blocks) {
    const statement = reading.statement('B1', 'BlockStatement', block.statement);
    const leaves = checkLeaves(reading, block, statement);
    ids.push(...leaves.values());
    sealed.push(...new BlockChain(reading, statement, { leaves, seal, found }).follow(block.chain));
  }
  demand(isSet(sealed), 'B6', 'a block stands twice');
  demand(isSet(ids), 'B6', 'blocks: an event stands twice');
  demand(sameSet(ids, seal.ids), 'B6', 'blocks: not exactly the ordered events');
  demand(sealed.length === seal.seals.length, 'B7', 'seal record: names other seals');
  return found;
}

/** leaf to event id, each header proven to be in the signed block */
function checkLeaves(
  { codec, origin }: Reading,
  block: CertifiedBlock,
  { value: { treeSize: size, root } }: Verified<'BlockStatement'>,
): Map<number, EventId> {
  const leaves = new Map<number, EventId>();
  for (const { leaf: index, header: bytes, path } of block.leaves) {
    const header = need('B2', 'header', parseHeader(codec, bytes));
    demand(header.origin === origin, 'B3', 'header: names another origin');
    const included = isIncluded({ leaf: leafHash(bytes), index, size, path, root });
    demand(included && !leaves.has(index), 'B4', 'header: not in the signed block');
    leaves.set(index, header.id);
  }
  demand(leaves.size > 0, 'B5', 'block: without an ordered event');
  return leaves;
}

interface Facts {
  readonly leaves: ReadonlyMap<number, EventId>;
  readonly seal: SealRecord;
  readonly found: Map<MemberId, Set<EventId>>;
}

/** Follows one block's ledger chain from its publication to the last of this order's seals. */
class BlockChain {
  readonly #reading: Reading;
  readonly #facts: Facts;
  readonly #ref: BlockRef;
  readonly #treeSize: number;
  /** recipients that are still to be sealed, '' for all of them at once */
  readonly #open: Set<string>;
  /** per leaf: the narrower covers that earlier orders sealed */
  readonly #blocked = new Map<number, Cover[]>();
  readonly #seals: string[] = [];
  #previous = EMPTY_HEAD.hash;

  constructor(reading: Reading, statement: Verified<'BlockStatement'>, facts: Facts) {
    this.#reading = reading;
    this.#facts = facts;
    this.#ref = blockRef(statement);
    this.#treeSize = statement.value.treeSize;
    const { recipients } = facts.seal;
    this.#open = new Set(recipients.length === 0 ? [''] : recipients);
  }

  /** @returns the seals' places in the ledger */
  follow(chain: readonly ChainLink[]): readonly string[] {
    for (const [index, link] of chain.entries()) this.#step(index, link);
    demand(this.#open.size === 0, 'C12', 'chain: ends before the seal');
    return this.#seals;
  }

  #step(index: number, link: ChainLink): void {
    const ledger = this.#reading.statement('C1', 'LedgerStatement', link.statement);
    const { value, hash } = ledger;
    demand(this.#open.size > 0, 'C12', 'chain: goes on after the seal');
    demand(sameBlock(value.block, this.#ref), 'C2', 'chain: a record of another block');
    demand(value.blockNumber === index, 'C3', 'chain: a record is missing');
    demand(
      equalBytes(value.blockPrevious, this.#previous),
      'C4',
      'chain: a record does not follow',
    );
    demand(value.treeSize === this.#treeSize, 'C5', 'chain: another tree size');
    const isFirst = index === 0;
    demand((value.kind === 'PUBLICATION') === isFirst, 'C6', 'chain: begins with the publication');
    this.#previous = hash;
    if (isFirst) {
      demand(link.opened.length === 0, 'C6', 'chain: a publication has no slots');
      return;
    }
    const slots = this.#slots(ledger, link);
    const own = slots.filter((slot) => slot.kind === 'SEAL' && this.#isOwn(slot));
    if (own.length > 0) this.#sealedBy(ledger, slots, own);
    else demand(this.#seals.length === 0, 'C12', 'chain: the seals of one order stand apart');
  }

  /** The ordered events' slots, each looked at by itself. */
  #slots({ value }: Verified<'LedgerStatement'>, { opened }: ChainLink): readonly Slot[] {
    const { leaves } = this.#facts;
    demand(opened.length === leaves.size, 'C7', 'chain: not exactly the ordered slots');
    return [...leaves].map(([leaf, id], at) => {
      const one = opened[at];
      demand(one !== undefined, 'C7', 'chain: a slot is missing');
      const slot = need('C8', 'slot', verifySlot(this.#reading.codec, value, one, leaf));
      if (slot.kind === 'RELEASE') this.#released(slot, id);
      if (slot.kind === 'SEAL' && !this.#isOwn(slot)) this.#sealedBefore(slot);
      return slot;
    });
  }

  #isOwn(slot: Slot): boolean {
    return slot.orderId === this.#facts.seal.orderId;
  }

  #released({ recipient, sections, leaf }: Slot, id: EventId): void {
    const { found, seal } = this.#facts;
    const member = parseMemberId(recipient);
    demand(member.ok, 'C9', 'slot: a release to nobody');
    const released = { recipient: member.value, sections };
    const isBlocked = this.#blocked.get(leaf)?.some((cover) => meets(cover, released)) ?? false;
    demand(!isBlocked, 'C9', 'slot: released after it was sealed');
    if (!meets(seal, released)) return;
    found.set(member.value, (found.get(member.value) ?? new Set<EventId>()).add(id));
  }

  /** An earlier order may have taken less; after one that took everything there is nothing to order. */
  #sealedBefore({ recipient, sections, leaf }: Slot): void {
    const cover = { recipients: recipient === '' ? [] : [recipient], sections };
    demand(!isWhole(cover), 'C10', 'slot: sealed by another order');
    this.#blocked.set(leaf, [...(this.#blocked.get(leaf) ?? []), cover]);
  }

  #sealedBy(
    { value, hash }: Verified<'LedgerStatement'>,
    slots: readonly Slot[],
    own: readonly Slot[],
  ): void {
    const { seal } = this.#facts;
    demand(own.length === slots.length, 'C11', 'chain: an ordered event is not sealed');
    const [first] = own;
    const recipient = first?.recipient ?? '';
    const isCover = own.every(
      (slot) => slot.recipient === recipient && sameSet(slot.sections, seal.sections),
    );
    demand(isCover && this.#open.delete(recipient), 'C11', 'slot: seals another cover');
    const isNamed = seal.seals.some(
      (one) => one.ledgerNumber === value.number && equalBytes(one.statementHash, hash),
    );
    demand(isNamed, 'C11', 'chain: the seal record names another seal');
    this.#seals.push(`${String(value.epoch)}/${String(value.number)}`);
  }
}
