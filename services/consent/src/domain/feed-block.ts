import { type ReadBlock, type ReadEnvelope, blockRef } from '@concordat/common/domain/block.js';
import type { Terms } from '@concordat/common/domain/decide-release.js';
import type { Hash } from '@concordat/common/domain/ids.js';
import { partialProof } from '@concordat/common/domain/merkle.js';
import type { BlockRef, PartialBlock, Release } from '@concordat/common/domain/records.js';

/** An origin's block with the hashes that every feed made of it needs. */
export interface SourceBlock {
  readonly block: ReadBlock;
  readonly ref: BlockRef;
  readonly leaves: readonly Hash[];
}

/** One event that one recipient may have, and on which terms. */
export interface Released {
  readonly envelope: ReadEnvelope;
  readonly terms: Terms;
}

/** What one recipient gets of one block: the statement signs `releases`, `partial` travels beside it. */
export interface FeedPart {
  readonly releases: readonly Release[];
  readonly partial: PartialBlock;
}

export function sourceBlock(block: ReadBlock): SourceBlock {
  const leaves = block.envelopes.map(({ headerHash }) => headerHash);
  return { block, ref: blockRef(block.statement), leaves };
}

/**
 * The released envelopes with their permitted sections only, and the subtree hashes that lead from their headers to the
 * root that the origin signed. What was withheld shows as a hash, and by its place in the tree.
 */
export function feedPart(source: SourceBlock, released: readonly Released[]): FeedPart {
  const kept = new Set(released.map(({ envelope }) => envelope.leaf));
  return {
    releases: released.map(({ envelope, terms }) => release(source, envelope, terms)),
    partial: {
      statement: source.block.statement.bytes,
      envelopes: released.map(({ envelope: { leaf, envelope }, terms }) => ({
        leaf,
        header: envelope.header,
        sections: envelope.sections.filter(({ name }) => terms.sections.includes(name)),
      })),
      proof: partialProof(source.leaves, kept),
    },
  };
}

function release(
  { ref, leaves }: SourceBlock,
  { leaf, header }: ReadEnvelope,
  terms: Terms,
): Release {
  const headerHash = leaves[leaf];
  if (!headerHash) throw new RangeError(`leaf ${String(leaf)} of ${String(leaves.length)}`);
  return {
    id: header.id,
    headerHash,
    block: ref,
    leaf,
    agreementId: terms.agreementId,
    agreementVersion: terms.agreementVersion,
    consentId: terms.consentId,
    sections: terms.sections,
    purposes: terms.purposes,
    deleteByMs: terms.deleteByMs,
    onward: terms.onward,
    custody: terms.custody,
  };
}
