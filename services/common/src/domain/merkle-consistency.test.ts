import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Hash } from './ids.js';
import { type ConsistencyProof, consistencyPath, isConsistent } from './merkle-consistency.js';
import { leafHash, merkleRoot } from './merkle.js';

const leaves = Array.from({ length: 70 }, (_, i) => leafHash(Uint8Array.of(i)));

function proofOf(size1: number, size2: number): ConsistencyProof {
  const later = leaves.slice(0, size2);
  const [root1, root2] = [merkleRoot(leaves.slice(0, size1)), merkleRoot(later)];
  return { size1, root1, size2, root2, path: consistencyPath(later, size1) };
}

const flip = (hash: Hash): Hash => hash.map((byte, at) => (at === 9 ? byte ^ 4 : byte)) as Hash;

describe('a consistency proof', () => {
  test('holds for every earlier tree of every tree', () => {
    for (let size2 = 1; size2 <= leaves.length; size2 += 1) {
      for (let size1 = 1; size1 <= size2; size1 += 1) {
        expect([size1, size2, isConsistent(proofOf(size1, size2))]).toEqual([size1, size2, true]);
      }
    }
  });

  test('of the example in RFC 6962 §2.1.3 has its shape', () => {
    const later = leaves.slice(0, 7);
    const [c, d, g, l] = [later.slice(2, 3), later.slice(3, 4), later.slice(0, 2), later.slice(4)];
    expect(consistencyPath(later, 3)).toEqual([c, d, g, l].map((some) => merkleRoot(some)));
    expect(consistencyPath(later, 4)).toEqual([merkleRoot(l)]);
    const [i, j, k] = [later.slice(4, 6), later.slice(6), later.slice(0, 4)];
    expect(consistencyPath(later, 6)).toEqual([i, j, k].map((some) => merkleRoot(some)));
  });

  test('fails with anything changed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 69 }), fc.nat(), (size1, draw) => {
        const proof = proofOf(size1, size1 + 1 + (draw % (leaves.length - size1)));
        const { path } = proof;
        const at = draw % path.length;
        const wrong: Partial<ConsistencyProof>[] = [
          { root1: flip(proof.root1) },
          { root2: flip(proof.root2) },
          { path: path.map((hash, i) => (i === at ? flip(hash) : hash)) },
          { path: path.slice(1) },
          { path: path.slice(0, -1) },
          { path: [] },
          { path: [...path, proof.root1] },
          { path: [proof.root1, ...path] },
          { path: path.map((hash, i) => (i === at ? (hash.subarray(1) as Hash) : hash)) },
        ];
        for (const change of wrong) expect(isConsistent({ ...proof, ...change })).toBe(false);
      }),
    );
  });

  test('fails for sizes that are none, and for trees in the wrong order', () => {
    const proof = proofOf(3, 7);
    for (const size1 of [0, -1, 0.5, 8, Number.NaN, 2 ** 60]) {
      expect(isConsistent({ ...proof, size1 })).toBe(false);
    }
    for (const size2 of [0, 2, 2 ** 60, Number.POSITIVE_INFINITY]) {
      expect(isConsistent({ ...proof, size2 })).toBe(false);
    }
    expect(isConsistent({ ...proofOf(7, 7), root2: proof.root1 })).toBe(false);
    expect(isConsistent({ ...proofOf(7, 7), path: [proof.root1] })).toBe(false);
  });

  test.each([0, 8, 1.5])('is not made for an earlier tree of %p leaves out of 7', (size) => {
    expect(() => consistencyPath(leaves.slice(0, 7), size)).toThrow(RangeError);
  });
});
