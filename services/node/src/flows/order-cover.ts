import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId } from '@concordat/common/domain/ids.js';
import { type TreeLevels, pathIn, treeLevels } from '@concordat/common/domain/merkle.js';
import type { Cover as OrderedCover } from '@concordat/common/domain/purge-order.js';
import type { EvidenceBlock, SealHolder } from '@concordat/common/domain/records.js';
import { grouped } from '@concordat/common/io/store/packed.js';
import { type GivenEvent, holdersOf } from '../domain/purge/holders.js';
import {
  type BlockPlace,
  type OwnBlock,
  type OwnEvent,
  blockKey,
} from '../io/state/own-publications.js';
import type { NodeContext } from './context.js';
import { type RecordedRelease, releasesOfBlock } from './recorded-releases.js';

/** A block that an order touches. */
export interface CoveredBlock {
  readonly block: OwnBlock;
  /** by leaf */
  readonly leaves: readonly { readonly leaf: number; readonly id: EventId }[];
}

/** What an order covers, and who holds keys of it. */
export interface Cover {
  readonly blocks: readonly CoveredBlock[];
  /** Avro SealEvidence: what a certificate needs of the leaves; taken before the rows are deleted */
  readonly evidence: Uint8Array;
  /** by recipient */
  readonly holders: readonly SealHolder[];
}

interface KnownBlock {
  readonly block: OwnBlock;
  readonly levels: TreeLevels;
  /** by leaf, who was given keys of it */
  readonly releases: ReadonlyMap<number, readonly RecordedRelease[]>;
}

const ROW_LOST =
  'an own event without its row: its header is part of the proof; restore a backup of data.db that has it';

/** Reads covers within one commit; what several orders need of the same block is read once. */
export class CoverReader {
  readonly #context: NodeContext;
  readonly #known = new Map<string, KnownBlock>();

  constructor(context: NodeContext) {
    this.#context = context;
  }

  /**
   * @param taken what of the events is covered: who was given nothing of that is no holder
   * @throws ConcordatError INTERNAL for an event without its block, STATE_LOST for one whose row is lost
   */
  read(events: ReadonlyMap<EventId, OwnEvent>, taken: OrderedCover): Cover {
    const covered: GivenEvent[] = [];
    const blocks: CoveredBlock[] = [];
    const evidence: EvidenceBlock[] = [];
    for (const some of grouped([...events], ([, event]) => blockKey(event)).values()) {
      const [first] = some;
      if (!first) continue;
      const { block, levels, releases } = this.#block(first[1]);
      const leaves = some.map(([id, { leaf }]) => ({ leaf, id })).sort((a, b) => a.leaf - b.leaf);
      blocks.push({ block, leaves });
      const proven = leaves.map(({ leaf, id }) => {
        covered.push({ id, given: releases.get(leaf) ?? [] });
        return { leaf, header: this.#headerOf(id), path: pathIn(levels, leaf) };
      });
      evidence.push({ statement: block.statement, leaves: proven });
    }
    const holders = holdersOf(covered, taken);
    const { codec } = this.#context;
    return { blocks, evidence: codec.encode('SealEvidence', { blocks: evidence }), holders };
  }

  #headerOf(id: EventId): Uint8Array {
    const { data, state, self } = this.#context;
    const header = data.find(self, id)?.header ?? state.sealedHeaders.get(id);
    if (!header) throw new ConcordatError('STATE_LOST', ROW_LOST);
    return header;
  }

  #block(place: BlockPlace): KnownBlock {
    const key = blockKey(place);
    const before = this.#known.get(key);
    if (before) return before;
    const block = this.#context.state.own.block(place);
    if (!block) throw new ConcordatError('INTERNAL', 'an own event without its block');
    const releases = grouped(releasesOfBlock(this.#context, block), ({ leaf }) => leaf);
    const known = { block, levels: treeLevels(block.leafHashes), releases };
    this.#known.set(key, known);
    return known;
  }
}
