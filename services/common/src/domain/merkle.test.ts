import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Hash } from './ids.js';
import {
  HASH_BYTES,
  inclusionPath,
  pathIn,
  treeLevels,
  isIncluded,
  leafHash,
  merkleRoot,
  partialProof,
  partialRoot,
} from './merkle.js';

const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');
const unhex = (text: string): Hash => Uint8Array.from(Buffer.from(text, 'hex')) as Hash;

/** The leaves, roots and paths of the reference tests of google/certificate-transparency. */
const INPUTS = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const vectorLeaves = INPUTS.map((input) => leafHash(unhex(input)));

describe('RFC 6962 trees', () => {
  test.each(ROOTS.map((root, size) => [size, root]))('of %d leaves have root %s', (size, root) => {
    expect(hex(merkleRoot(vectorLeaves.slice(0, Number(size))))).toBe(root);
  });

  test.each<[leaf: number, size: number, path: string[]]>([
    [0, 1, []],
    [
      0,
      8,
      [
        '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
      ],
    ],
    [
      5,
      8,
      [
        'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
        'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
        'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      ],
    ],
    [2, 3, ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']],
    [
      1,
      5,
      [
        '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
        '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
        'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      ],
    ],
  ])('prove leaf %d of %d by the known path', (index, size, path) => {
    const leaves = vectorLeaves.slice(0, size);
    expect(inclusionPath(leaves, index).map(hex)).toEqual(path);
  });
});

const leaf = fc.uint8Array({ minLength: 0, maxLength: 4 }).map(leafHash);
const tree = fc.array(leaf, { minLength: 1, maxLength: 40 });
const flip = (hash: Hash): Hash => hash.map((byte, at) => (at === 0 ? byte ^ 1 : byte)) as Hash;

describe('an inclusion path', () => {
  const placed = tree.chain((leaves) =>
    fc.tuple(fc.constant(leaves), fc.integer({ min: 0, max: leaves.length - 1 })),
  );

  test('leads every leaf to the root, and nothing else', () => {
    fc.assert(
      fc.property(placed, fc.nat(), ([leaves, index], at) => {
        const proof = {
          leaf: leaves[index] ?? leafHash(new Uint8Array()),
          index,
          size: leaves.length,
          path: inclusionPath(leaves, index),
          root: merkleRoot(leaves),
        };
        expect(isIncluded(proof)).toBe(true);
        expect(isIncluded({ ...proof, leaf: flip(proof.leaf) })).toBe(false);
        expect(isIncluded({ ...proof, root: flip(proof.root) })).toBe(false);
        expect(isIncluded({ ...proof, path: [...proof.path, proof.root] })).toBe(false);
        if (proof.path.length === 0) return;
        expect(isIncluded({ ...proof, path: proof.path.slice(1) })).toBe(false);
        const changed = proof.path.map((hash, i) =>
          i === at % proof.path.length ? flip(hash) : hash,
        );
        expect(isIncluded({ ...proof, path: changed })).toBe(false);
      }),
    );
  });

  test.each([-1, 1, 0.5, Number.NaN, Infinity])('is refused at index %p of one leaf', (index) => {
    const [only] = vectorLeaves;
    if (!only) throw new Error('no leaf');
    expect(isIncluded({ leaf: only, index, size: 1, path: [], root: only })).toBe(false);
    expect(() => inclusionPath([only], index)).toThrow(RangeError);
  });
});

describe('a partial proof', () => {
  const withKept = tree.chain((leaves) => {
    const indexes = [...leaves.keys()];
    return fc.tuple(fc.constant(leaves), fc.subarray(indexes, { minLength: 1 }));
  });
  const keptOf = (leaves: readonly Hash[], indexes: readonly number[]): Map<number, Hash> => {
    const kept = new Map<number, Hash>();
    for (const [index, hash] of leaves.entries())
      if (indexes.includes(index)) kept.set(index, hash);
    return kept;
  };

  test('leads any kept leaves to the root of the whole tree', () => {
    fc.assert(
      fc.property(withKept, ([leaves, indexes]) => {
        const proof = partialProof(leaves, new Set(indexes));
        const root = partialRoot(leaves.length, keptOf(leaves, indexes), proof);
        expect(hex(root)).toBe(hex(merkleRoot(leaves)));
      }),
    );
  });

  test('leads to another root, or none, when any hash or leaf is changed, lacking or left over', () => {
    fc.assert(
      fc.property(withKept, fc.nat(), ([leaves, indexes], at) => {
        const size = leaves.length;
        const kept = keptOf(leaves, indexes);
        const proof = partialProof(leaves, new Set(indexes));
        const root = hex(merkleRoot(leaves));
        const index = indexes[at % indexes.length] ?? 0;
        const other = new Map(kept).set(index, flip(kept.get(index) ?? vectorRoot));
        expect(hex(partialRoot(size, other, proof))).not.toBe(root);
        expect(partialRoot(size, kept, [...proof, vectorRoot])).toBeUndefined();
        if (proof.length === 0) return;
        const changed = proof.map((hash, i) => (i === at % proof.length ? flip(hash) : hash));
        expect(hex(partialRoot(size, kept, changed))).not.toBe(root);
        expect(partialRoot(size, kept, proof.slice(1))).toBeUndefined();
      }),
    );
  });

  const vectorRoot = unhex(ROOTS[8] ?? '');
  test.each([
    ['nothing is kept', []],
    ['an index lies below the tree', [-1]],
    ['an index lies above the tree', [2]],
    ['an index lies between two leaves', [0.5]],
  ])('is refused when %s, although it names the root', (_name, indexes) => {
    const kept = new Map(indexes.map((index) => [index, vectorRoot]));
    expect(partialRoot(2, kept, [vectorRoot])).toBeUndefined();
  });
});

test('a path in a tree whose hashes are known is the path that is made anew', () => {
  for (let size = 1; size <= 70; size += 1) {
    const leaves = Array.from({ length: size }, (_, at) => leafHash(Uint8Array.of(at)));
    const levels = treeLevels(leaves);
    expect(levels.widths.at(-1)).toBe(1);
    expect(levels.hashes.slice(-HASH_BYTES)).toEqual(merkleRoot(leaves));
    for (let at = 0; at < size; at += 1) {
      expect(pathIn(levels, at)).toEqual(inclusionPath(leaves, at));
    }
  }
});
