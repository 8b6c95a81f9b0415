import { concatBytes, equalBytes, sha256 } from './bytes.js';
import type { Hash } from './ids.js';

/** RFC 6962 §2.1 Merkle trees over at most a few hundred leaves. */

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);
export const HASH_BYTES = 32;

export function leafHash(leaf: Uint8Array): Hash {
  return sha256(LEAF, leaf);
}

/** What is hashed of two nodes, in one piece of memory: trees hash little else. */
const pair = concatBytes(NODE, new Uint8Array(2 * HASH_BYTES));

export function nodeHash(left: Hash, right: Hash): Hash {
  const isPair = left.length === HASH_BYTES && right.length === HASH_BYTES;
  if (!isPair) return sha256(NODE, left, right);
  pair.set(left, 1);
  pair.set(right, 1 + HASH_BYTES);
  return sha256(pair);
}

/** The largest power of two below `size` (RFC 6962 §2.1: k < n <= 2k). */
export function split(size: number): number {
  let k = 1;
  while (k * 2 < size) k *= 2;
  return k;
}

export function merkleRoot(leaves: readonly Hash[]): Hash {
  const [first] = leaves;
  if (first === undefined) return sha256();
  if (leaves.length === 1) return first;
  const k = split(leaves.length);
  return nodeHash(merkleRoot(leaves.slice(0, k)), merkleRoot(leaves.slice(k)));
}

/** RFC 6962 §2.1.1, from the leaf up. */
export function inclusionPath(leaves: readonly Hash[], index: number): Hash[] {
  if (!Number.isInteger(index) || index < 0 || index >= leaves.length) {
    throw new RangeError(`leaf ${String(index)} of ${String(leaves.length)}`);
  }
  if (leaves.length === 1) return [];
  const k = split(leaves.length);
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)];
  return index < k
    ? [...inclusionPath(left, index), merkleRoot(right)]
    : [...inclusionPath(right, index - k), merkleRoot(left)];
}

/** A tree with all its hashes, for many paths in it: level by level, leaves first, in one piece of memory. */
export interface TreeLevels {
  /** how many hashes each level has; the last one has the root only */
  readonly widths: readonly number[];
  readonly hashes: Uint8Array;
}

/** Pairs from the left, level by level; one that is left over goes up as it is. It is the tree of `merkleRoot`. */
export function treeLevels(leaves: readonly Hash[]): TreeLevels {
  const widths = [leaves.length];
  const all: Hash[] = [...leaves];
  for (let below = leaves; below.length > 1;) {
    const above: Hash[] = [];
    for (let at = 0; at < below.length; at += 2) {
      const [left, right] = [below[at], below[at + 1]];
      if (left) above.push(right ? nodeHash(left, right) : left);
    }
    widths.push(above.length);
    all.push(...above);
    below = above;
  }
  return { widths, hashes: concatBytes(...all) };
}

/** `inclusionPath` in a tree whose hashes are known. */
export function pathIn({ widths, hashes }: TreeLevels, index: number): Hash[] {
  const path: Hash[] = [];
  let first = 0;
  let at = index;
  for (const width of widths) {
    const sibling = at ^ 1;
    const from = (first + sibling) * HASH_BYTES;
    // a copy: what a certificate keeps does not keep the tree
    if (sibling < width) path.push(hashes.slice(from, from + HASH_BYTES) as Hash);
    first += width;
    at >>= 1;
  }
  return path;
}

/** Does `path` lead from `leaf` at `index` to `root` in a tree of `size` leaves? (RFC 9162 §2.1.3.2) */
export function isIncluded(proof: {
  readonly leaf: Hash;
  readonly index: number;
  readonly size: number;
  readonly path: readonly Hash[];
  readonly root: Hash;
}): boolean {
  const { index, size, path, root } = proof;
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size)) return false;
  if (index < 0 || index >= size) return false;
  // two hashes of other lengths would have the same bytes side by side as two right ones
  if ([proof.leaf, ...path].some(({ length }) => length !== HASH_BYTES)) return false;
  const rebuilt = fold(proof.leaf, index, size, [...path]);
  return rebuilt !== undefined && equalBytes(rebuilt, root);
}

/** Consumes `path` from its end (the top of the tree) while walking down to the leaf. */
function fold(leaf: Hash, index: number, size: number, path: Hash[]): Hash | undefined {
  if (size === 1) return path.length === 0 ? leaf : undefined;
  const sibling = path.pop();
  if (sibling === undefined) return undefined;
  const k = split(size);
  if (index < k) {
    const left = fold(leaf, index, k, path);
    return left && nodeHash(left, sibling);
  }
  const right = fold(leaf, index - k, size - k, path);
  return right && nodeHash(sibling, right);
}

/** The few subtree hashes, left to right, that lead from the leaves at `kept` to the root. */
export function partialProof(leaves: readonly Hash[], kept: ReadonlySet<number>): Hash[] {
  const walk = (from: number, size: number): Hash[] => {
    let any = false;
    for (let i = from; i < from + size; i += 1) any ||= kept.has(i);
    if (!any) return [merkleRoot(leaves.slice(from, from + size))];
    if (size === 1) return [];
    const k = split(size);
    return [...walk(from, k), ...walk(from + k, size - k)];
  };
  return leaves.length === 0 ? [] : walk(0, leaves.length);
}

/**
 * The root that some leaves of a tree of `size` and the other subtrees' hashes lead to.
 *
 * @returns undefined when hashes are missing or left over, or an index is none of the tree's
 */
export function partialRoot(
  size: number,
  kept: ReadonlyMap<number, Hash>,
  proof: readonly Hash[],
): Hash | undefined {
  const isLeaf = (i: number): boolean => Number.isInteger(i) && i >= 0 && i < size;
  if (kept.size === 0 || ![...kept.keys()].every(isLeaf)) return undefined;
  let used = 0;
  const walk = (from: number, width: number): Hash | undefined => {
    let any = false;
    for (let i = from; i < from + width; i += 1) any ||= kept.has(i);
    if (!any) return proof[used++];
    if (width === 1) return kept.get(from);
    const k = split(width);
    const left = walk(from, k);
    const right = walk(from + k, width - k);
    return left && right && nodeHash(left, right);
  };
  const root = walk(0, size);
  return used === proof.length ? root : undefined;
}
