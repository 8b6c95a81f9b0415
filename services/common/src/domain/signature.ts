import { type KeyObject, sign, verify } from 'node:crypto';

const SIGNATURE_BYTES = 64;
const POINT_BYTES = 32;

/**
 * The y of every point of small order: 0, 1, p - 1, two of order 8; then the second spellings p and p + 1.
 * The highest bit, the sign of x, is not part of y. Source: RFC 8032 §5.1.2 and the group of order 8.
 */
const SMALL_ORDER_Y: ReadonlySet<string> = new Set(
  [
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  ].map((hex) => Buffer.from(hex, 'hex').toString('latin1')),
);

/**
 * Did `key` sign exactly these bytes? Strict: the verifier's equation without the cofactor, S below the group order,
 * R in its only spelling (all three by node:crypto), and R not of small order, which no honest signer makes.
 *
 * @param key a key that `registerPublicKey` took: it refuses the weak ones
 * @param signature 64 bytes, R then S (RFC 8032 §5.1.6); any other length answers `false`
 * @returns `false` for every kind of bad signature
 */
export function isSignedBy(key: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES || hasSmallOrder(signature)) return false;
  return verify(null, message, key, signature);
}

/** Does this signature hold over exactly this message? `false` for every kind of bad signature. */
export type Verify = (message: Uint8Array, signature: Uint8Array) => boolean;

/** @returns the signature; where the private key is, only its maker knows */
export type Sign = (message: Uint8Array) => Uint8Array;

/** @param key a public key that `registerPublicKey` took */
export function ed25519Verify(key: KeyObject): Verify {
  return (message, signature) => isSignedBy(key, message, signature);
}

export function ed25519Sign(privateKey: KeyObject): Sign {
  return (message) => Uint8Array.from(sign(null, message, privateKey));
}

/** @param signature begins with the encoded point */
function hasSmallOrder(signature: Uint8Array): boolean {
  const y = Buffer.from(signature.subarray(0, POINT_BYTES));
  y[POINT_BYTES - 1] = (signature[POINT_BYTES - 1] ?? 0) & 0x7f;
  return SMALL_ORDER_Y.has(y.toString('latin1'));
}
