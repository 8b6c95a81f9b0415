import { utf8 } from '@concordat/common/domain/bytes.js';
import {
  type Json,
  type VectorSet,
  VectorUnreadable,
  compare,
  fieldsOf,
  hexOf,
  isList,
  textOf,
} from '../vector-set.js';
import { isTaken } from './ed25519-verdict.js';

/** The flags of C2SP/CCTV ed25519, and why a strict verifier refuses a vector that has one. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['low_order_A', 'the key is of small order'],
  ['low_order_R', 'R is of small order'],
  ['non_canonical_A', 'the key is not in its only spelling'],
  ['non_canonical_R', 'R is not in its only spelling'],
  ['low_order_component_A', 'the key is outside of the prime-order group'],
  ['low_order_component_R', 'R is outside of the prime-order group, where no key of ours can lead'],
  ['low_order_residue', 'only the cofactor makes it right'],
  ['reencoded_k', 'k is computed from another spelling than the signature has'],
]);

/** Which vectors must be taken follows from their flags alone: those without any. */
export const cctvEd25519: VectorSet = {
  name: 'CCTV Ed25519',
  read(file) {
    if (!isList(file) || !file.some(isVector)) return undefined;
    return file.map((one, at) => {
      const vector = fieldsOf(one);
      return {
        id: typeof vector['number'] === 'number' ? `number ${vector['number']}` : `vector ${at}`,
        run: () => {
          const reasons = flagsOf(vector['flags']).map(reasonOf);
          const message = utf8(textOf(vector['msg'], 'msg'));
          const came = isTaken(hexOf(vector['key'], 'key'), message, hexOf(vector['sig'], 'sig'));
          return compare(reasons.length === 0, came, reasons.join('; '));
        },
      };
    });
  },
};

function isVector(value: Json): boolean {
  const { key, sig, msg, flags } = fieldsOf(value);
  const isFlags = flags === null || isList(flags);
  return [key, sig, msg].every((text) => typeof text === 'string') && isFlags;
}

/** The generator writes null for no flags. */
function flagsOf(value: Json | undefined): readonly Json[] {
  if (value === null) return [];
  if (isList(value)) return value;
  throw new VectorUnreadable('expected flags to be a list or null');
}

function reasonOf(flag: Json): string {
  const reason = REFUSED.get(textOf(flag, 'a flag'));
  if (reason !== undefined) return reason;
  throw new VectorUnreadable('a flag is not one of those that this set has');
}
