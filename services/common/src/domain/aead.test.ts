import { describe, expect, test } from '@jest/globals';
import { createCipheriv } from 'node:crypto';
import { aeadOpen, aeadSeal, joinSealed, splitSealed } from './aead.js';
import { concatBytes, utf8 } from './bytes.js';

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => at + 1);
const aad = utf8('a place');
const secret = { key: bytes(32), nonce: bytes(12) };
const sealed = { nonce: secret.nonce, ...aeadSeal(secret, utf8('plaintext'), aad) };

/** A right ciphertext for any sizes, some of which only others use. */
function sealedElsewhere(keyBytes: 16 | 24 | 32, nonceBytes: number, tagBytes: number) {
  const [key, nonce] = [bytes(keyBytes), bytes(nonceBytes)];
  const name = `aes-${keyBytes * 8}-gcm` as 'aes-256-gcm';
  const cipher = createCipheriv(name, key, nonce, { authTagLength: tagBytes });
  cipher.setAAD(aad);
  const ciphertext = concatBytes(cipher.update('plaintext', 'utf8'), cipher.final());
  return { key, sealed: { nonce, ciphertext, tag: cipher.getAuthTag() } };
}

describe('AES-256-GCM', () => {
  test('opens what it sealed, and what another sealed in the same profile', () => {
    expect(aeadOpen(secret.key, sealed, aad)).toEqual(utf8('plaintext'));
    const other = sealedElsewhere(32, 12, 16);
    expect(aeadOpen(other.key, other.sealed, aad)).toEqual(utf8('plaintext'));
  });

  test.each<[key: 16 | 24 | 32, nonce: number, tag: number]>([
    [16, 12, 16],
    [24, 12, 16],
    [32, 8, 16],
    [32, 13, 16],
    [32, 16, 16],
    [32, 12, 15],
    [32, 12, 12],
    [32, 12, 4],
  ])('opens nothing with %i key, %i nonce and %i tag bytes', (key, nonce, tag) => {
    const other = sealedElsewhere(key, nonce, tag);
    expect(aeadOpen(other.key, other.sealed, aad)).toBeUndefined();
  });

  test('opens nothing that was changed', () => {
    const flip = (some: Uint8Array) => some.map((byte, at) => (at === 0 ? byte ^ 1 : byte));
    expect(aeadOpen(flip(secret.key), sealed, aad)).toBeUndefined();
    expect(aeadOpen(secret.key, sealed, flip(aad))).toBeUndefined();
    for (const part of ['nonce', 'ciphertext', 'tag'] as const) {
      const changed = { ...sealed, [part]: flip(sealed[part]) };
      expect(aeadOpen(secret.key, changed, aad)).toBeUndefined();
    }
  });

  test.each([
    ['a short key', { key: bytes(16), nonce: bytes(12) }],
    ['a long nonce', { key: bytes(32), nonce: bytes(16) }],
    ['no nonce', { key: bytes(32), nonce: bytes(0) }],
  ])('seals nothing under %s', (_name, wrong) => {
    expect(() => aeadSeal(wrong, utf8('plaintext'), aad)).toThrow(TypeError);
  });

  test('is kept as nonce, ciphertext, tag, and opens nothing when cut anywhere', () => {
    const kept = joinSealed(sealed);
    expect(aeadOpen(secret.key, splitSealed(kept), aad)).toEqual(utf8('plaintext'));
    for (let length = 0; length < kept.length; length += 1) {
      expect(aeadOpen(secret.key, splitSealed(kept.subarray(0, length)), aad)).toBeUndefined();
    }
  });
});
