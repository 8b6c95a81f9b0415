import {
  KEY_BYTES,
  NONCE_BYTES,
  TAG_BYTES,
  aeadOpen,
  aeadSeal,
} from '@concordat/common/domain/aead.js';
import { equalBytes } from '@concordat/common/domain/bytes.js';
import { type JsonObject, type VectorSet, compare, hexOf } from '../vector-set.js';
import { resultOf, wycheproofTests } from './wycheproof.js';

/**
 * AeadTest. Our profile is a 32-byte key, a 12-byte nonce and a 16-byte tag; a vector with any other size must be
 * refused, whatever its result says. The sizes are those of the vector's bytes, not those that its group claims.
 */
export const wycheproofAesGcm: VectorSet = {
  name: 'Wycheproof AES-GCM',
  read(file) {
    const tests = wycheproofTests(file, 'AES-GCM', (group) => group['type'] === 'AeadTest');
    return tests?.map(({ id, test }) => ({ id, run: () => problemOf(test) }));
  },
};

function problemOf(test: JsonObject): string | undefined {
  const result = resultOf(test);
  const [key, nonce, aad] = [
    hexOf(test['key'], 'key'),
    hexOf(test['iv'], 'iv'),
    hexOf(test['aad'], 'aad'),
  ];
  const [plaintext, ciphertext, tag] = [
    hexOf(test['msg'], 'msg'),
    hexOf(test['ct'], 'ct'),
    hexOf(test['tag'], 'tag'),
  ];
  const opened = aeadOpen(key, { nonce, ciphertext, tag }, aad);
  const sealed = seal(key, nonce, plaintext, aad);

  const canSeal = key.length === KEY_BYTES && nonce.length === NONCE_BYTES;
  if (!canSeal && sealed) return 'expected that nothing is sealed outside of our profile';
  if (!canSeal || tag.length !== TAG_BYTES) {
    return compare(false, opened !== undefined, 'outside of our profile');
  }
  if (opened && result !== 'invalid' && !equalBytes(opened, plaintext)) {
    return 'expected the plaintext of the vector, came another';
  }
  if (result === 'acceptable') return undefined;
  if (result === 'invalid') return compare(false, opened !== undefined, result);
  const isSame = sealed && equalBytes(sealed.ciphertext, ciphertext) && equalBytes(sealed.tag, tag);
  if (opened && !isSame) return 'expected the ciphertext and tag of the vector, came others';
  return compare(true, opened !== undefined, result);
}

function seal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, aad: Uint8Array) {
  try {
    return aeadSeal({ key, nonce }, plaintext, aad);
  } catch (cause) {
    if (cause instanceof TypeError) return undefined;
    throw cause;
  }
}
