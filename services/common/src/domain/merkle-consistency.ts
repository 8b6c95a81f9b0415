import { equalBytes } from './bytes.js';
import type { Hash } from './ids.js';
import { HASH_BYTES, merkleRoot, nodeHash, split } from './merkle.js';

/**
 * RFC 6962 §2.1.2, from the leaves up: what shows that the first `size` of these leaves are unchanged in the whole tree.
 *
 * @throws RangeError for a size that is none of the tree's earlier ones, 1 to the number of leaves
 */
export function consistencyPath(leaves: readonly Hash[], size: number): Hash[] {
  if (!Number.isInteger(size) || size < 1 || size > leaves.length) {
    throw new RangeError(`a tree of ${String(size)} before one of ${String(leaves.length)}`);
  }
  return subproof(leaves, size, true);
}

/** @param isWhole the earlier tree's root is this subtree's, which the verifier has already */
function subproof(leaves: readonly Hash[], size: number, isWhole: boolean): Hash[] {
  if (size === leaves.length) return isWhole ? [] : [merkleRoot(leaves)];
  const k = split(leaves.length);
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)];
  return size <= k
    ? [...subproof(left, size, isWhole), merkleRoot(right)]
    : [...subproof(right, size - k, false), merkleRoot(left)];
}

export interface ConsistencyProof {
  /** leaves of the earlier tree; at least 1, because everything is consistent with the empty tree */
  readonly size1: number;
  readonly root1: Hash;
  readonly size2: number;
  readonly root2: Hash;
  readonly path: readonly Hash[];
}

/** Is the tree of `size1` leaves the beginning of the tree of `size2`? (RFC 9162 §2.1.4.2, the numbers are its steps) */
export function isConsistent({ size1, root1, size2, root2, path }: ConsistencyProof): boolean {
  if (!Number.isSafeInteger(size1) || !Number.isSafeInteger(size2)) return false;
  if (size1 < 1 || size1 > size2) return false;
  if (size1 === size2) return path.length === 0 && equalBytes(root1, root2);
  // 1 and 2: the root of a full earlier tree is not repeated in the path
  const [first, ...rest] = path.length > 0 && isPowerOfTwo(size1) ? [root1, ...path] : path;
  if (first === undefined || ![first, ...rest].every(isHash)) return false;
  // 3 and 4
  let [fn, sn] = [size1 - 1, size2 - 1];
  const up = (): void => {
    fn = Math.floor(fn / 2);
    sn = Math.floor(sn / 2);
  };
  while (isOdd(fn)) up();
  // 5 and 6
  let [rebuilt1, rebuilt2] = [first, first];
  for (const next of rest) {
    if (sn === 0) return false;
    if (isOdd(fn) || fn === sn) {
      rebuilt1 = nodeHash(next, rebuilt1);
      rebuilt2 = nodeHash(next, rebuilt2);
      while (fn !== 0 && !isOdd(fn)) up();
    } else {
      rebuilt2 = nodeHash(rebuilt2, next);
    }
    up();
  }
  // 7
  return sn === 0 && equalBytes(rebuilt1, root1) && equalBytes(rebuilt2, root2);
}

function isHash(hash: Uint8Array): boolean {
  return hash.length === HASH_BYTES;
}

function isOdd(value: number): boolean {
  return value % 2 === 1;
}

function isPowerOfTwo(size: number): boolean {
  let left = size;
  while (left > 1 && !isOdd(left)) left /= 2;
  return left === 1;
}
