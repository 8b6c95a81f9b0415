import { type JsonObject, type VectorSet, compare, fieldsOf, hexOf } from '../vector-set.js';
import { isTaken } from './ed25519-verdict.js';
import { resultOf, wycheproofTests } from './wycheproof.js';

/**
 * EddsaVerify over edwards25519. "acceptable" is what a lenient verifier may take; ours is strict, so it must refuse.
 * A key of another curve in the same file is outside of our profile and must be refused too.
 */
export const wycheproofEd25519: VectorSet = {
  name: 'Wycheproof Ed25519',
  read(file) {
    const tests = wycheproofTests(file, 'EDDSA', isEd25519);
    return tests?.map(({ id, group, test }) => ({
      id,
      run: () => {
        const result = resultOf(test);
        const raw = hexOf(keyOf(group)['pk'], 'the key');
        const came = isTaken(raw, hexOf(test['msg'], 'msg'), hexOf(test['sig'], 'sig'));
        if (isEd25519(group)) return compare(result === 'valid', came, result);
        return compare(false, came, 'another curve than ours');
      },
    }));
  },
};

/** `key` until 2023, `publicKey` in testvectors_v1. */
function keyOf(group: JsonObject): JsonObject {
  return fieldsOf(group['publicKey'] ?? group['key']);
}

function isEd25519(group: JsonObject): boolean {
  return group['type'] === 'EddsaVerify' && keyOf(group)['curve'] === 'edwards25519';
}
