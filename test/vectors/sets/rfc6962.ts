import type { Hash } from '@concordat/common/domain/ids.js';
import { isConsistent } from '@concordat/common/domain/merkle-consistency.js';
import { isIncluded } from '@concordat/common/domain/merkle.js';
import {
  type Json,
  type JsonObject,
  type Vector,
  type VectorSet,
  VectorUnreadable,
  base64Of,
  compare,
  isList,
  isObject,
} from '../vector-set.js';

/** transparency-dev/merkle has one proof a file; several in a list are read as well. */
function proofSet(
  name: string,
  fields: readonly string[],
  holds: (proof: JsonObject) => boolean,
): VectorSet {
  const isProof = (value: Json): boolean =>
    isObject(value) && fields.every((field) => Object.hasOwn(value, field));
  return {
    name,
    read(file) {
      const proofs = isList(file) ? file : [file];
      if (!proofs.some(isProof)) return undefined;
      return proofs.map((proof, at) => vectorOf(proof, at, holds));
    },
  };
}

function vectorOf(proof: Json, at: number, holds: (proof: JsonObject) => boolean): Vector {
  const desc = isObject(proof) && typeof proof['desc'] === 'string' ? proof['desc'] : '';
  return {
    id: desc === '' ? `proof ${String(at)}` : `"${desc}"`,
    run: () => {
      if (!isObject(proof)) throw new VectorUnreadable('expected a proof');
      const wantErr = proof['wantErr'];
      if (typeof wantErr !== 'boolean')
        throw new VectorUnreadable('expected wantErr to be true or false');
      return compare(!wantErr, holds(proof));
    },
  };
}

export const rfc6962Inclusion = proofSet(
  'RFC 6962 inclusion',
  ['leafIdx', 'treeSize', 'root', 'leafHash', 'proof'],
  (proof) =>
    isIncluded({
      leaf: hashOf(proof, 'leafHash'),
      index: countOf(proof, 'leafIdx'),
      size: countOf(proof, 'treeSize'),
      path: pathOf(proof),
      root: hashOf(proof, 'root'),
    }),
);

export const rfc6962Consistency = proofSet(
  'RFC 6962 consistency',
  ['size1', 'size2', 'root1', 'root2', 'proof'],
  (proof) =>
    isConsistent({
      size1: countOf(proof, 'size1'),
      root1: hashOf(proof, 'root1'),
      size2: countOf(proof, 'size2'),
      root2: hashOf(proof, 'root2'),
      path: pathOf(proof),
    }),
);

/** Up to 2^64 - 1. What JSON rounds is beyond what our trees can have, and our wrappers refuse it. */
function countOf(proof: JsonObject, field: string): number {
  const value = proof[field];
  if (typeof value === 'number') return value;
  throw new VectorUnreadable(`expected ${field} to be a number`);
}

/** Of any length: whether it is a hash is for our wrapper to judge. */
function hashOf(proof: JsonObject, field: string): Hash {
  const value = proof[field];
  return base64Of(value === null ? '' : value, field) as Hash;
}

/** Go writes null for an empty list, and for empty bytes. */
function pathOf(proof: JsonObject): readonly Hash[] {
  const path = proof['proof'];
  if (path === null) return [];
  if (!isList(path)) throw new VectorUnreadable('expected proof to be a list or null');
  return path.map((hash) => base64Of(hash ?? '', 'a hash of the proof') as Hash);
}
