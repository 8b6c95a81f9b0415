import { type KeyObject, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { ed25519 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import {
  NEUTRAL,
  NEUTRAL_RESPELT,
  TORSION,
  fromHex,
  oddSignature,
  pointOf,
} from '../../../../test/support/odd-signatures.js';
import { utf8 } from './bytes.js';
import { registerPublicKey } from './keys.js';
import { isSignedBy } from './signature.js';

const secret = 123456789n;
const nonce = 987654321n;
const A = pointOf(secret);
const message = utf8('an entry');
const key = keyOf(A);
const honest = oddSignature({ secret, nonce, A, R: pointOf(nonce), message });

function keyOf(raw: Uint8Array): KeyObject {
  const registered = registerPublicKey(raw);
  if (!registered.ok) throw registered.error;
  return registered.value;
}

/** What node:crypto takes for a key when nobody looks at it first. */
function unchecked(raw: Uint8Array): KeyObject {
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]);
  return createPublicKey({ key: der, format: 'der', type: 'spki' });
}

describe('a signature', () => {
  test('is taken as another implementation takes it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (text) => {
        const { privateKey, publicKey } = generateKeyPairSync('ed25519');
        const signature = Uint8Array.from(sign(null, text, privateKey));
        expect(isSignedBy(publicKey, text, signature)).toBe(true);
        expect(isSignedBy(publicKey, Uint8Array.of(...text, 0), signature)).toBe(false);
      }),
      { numRuns: 20 },
    );
    expect(isSignedBy(key, message, honest)).toBe(true);
    expect(ed25519.verify(honest, message, A)).toBe(true);
  });

  test('is refused with any of its bits flipped', () => {
    for (let bit = 0; bit < 512; bit += 1) {
      const flipped = honest.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      expect(isSignedBy(key, message, flipped)).toBe(false);
    }
  });

  test.each([0, 32, 63, 65, 128])('is refused with a length of %i', (length) => {
    const bytes = new Uint8Array(length);
    bytes.set(honest.subarray(0, length));
    expect(isSignedBy(key, message, bytes)).toBe(false);
  });

  test('is refused with S and the group order added', () => {
    const s = BigInt(`0x${Buffer.from(honest.subarray(32)).reverse().toString('hex')}`);
    const large = (s + ed25519.Point.CURVE().n).toString(16).padStart(64, '0');
    const S = Buffer.from(large, 'hex').reverse();
    const malleable = Uint8Array.from(Buffer.concat([honest.subarray(0, 32), S]));
    expect(isSignedBy(key, message, malleable)).toBe(false);
  });

  test('is refused with R the neutral point, although the equation holds', () => {
    const forged = oddSignature({ secret, nonce: 0n, A, R: NEUTRAL, message });
    expect(verify(null, message, key, forged)).toBe(true);
    expect(isSignedBy(key, message, forged)).toBe(false);
  });

  test('is refused with R the neutral point in another spelling', () => {
    const forged = oddSignature({ secret, nonce: 0n, A, R: NEUTRAL_RESPELT, message });
    expect(isSignedBy(key, message, forged)).toBe(false);
  });

  test('is refused when only the cofactor makes the equation hold', () => {
    const R = ed25519.Point.BASE.multiply(nonce).add(TORSION).toBytes();
    const cofactored = oddSignature({ secret, nonce, A, R, message });
    expect(ed25519.verify(cofactored, message, A, { zip215: true })).toBe(true);
    expect(isSignedBy(key, message, cofactored)).toBe(false);
  });

  test('has an R of small order in no spelling, whatever the key', () => {
    const small = new Set<string>();
    for (let i = 0, point = ed25519.Point.ZERO; i < 8; i += 1, point = point.add(TORSION)) {
      small.add(point.toHex());
    }
    expect(small.size).toBe(8);
    const ff = 'ff'.repeat(30);
    const respelt = [`01${'00'.repeat(30)}80`, `ec${ff}ff`, `ed${ff}7f`, `ed${ff}ff`, `ee${ff}ff`];
    // under the neutral key the equation asks of R only that it be S·B
    const anything = unchecked(NEUTRAL);
    for (const hex of [...small, ...respelt]) {
      const signature = Uint8Array.from(Buffer.concat([fromHex(hex), new Uint8Array(32)]));
      expect([hex, isSignedBy(anything, message, signature)]).toEqual([hex, false]);
    }
    expect(verify(null, message, anything, Buffer.concat([NEUTRAL, new Uint8Array(32)]))).toBe(
      true,
    );
  });
});
