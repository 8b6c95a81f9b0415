import { createHash } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';

/** Ed25519 with every choice in the hands of the caller, to make what no honest signer makes (RFC 8032 §5.1.6). */

const ORDER = ed25519.Point.CURVE().n;

export const fromHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

/** A generator of the group of order 8. */
export const TORSION = ed25519.Point.fromHex(
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
);
export const NEUTRAL = fromHex(`01${'00'.repeat(31)}`);
/** The neutral point again, as y = p + 1. */
export const NEUTRAL_RESPELT = fromHex(`ee${'ff'.repeat(30)}7f`);

export interface Choices {
  /** discrete logarithm of the prime-order part of A */
  readonly secret: bigint;
  /** discrete logarithm of the prime-order part of R */
  readonly nonce: bigint;
  readonly A: Uint8Array;
  readonly R: Uint8Array;
  readonly message: Uint8Array;
}

/** k of RFC 8032 §5.1.7, not reduced. */
export function challenge({ A, R, message }: Omit<Choices, 'secret' | 'nonce'>): bigint {
  const digest = createHash('sha512').update(R).update(A).update(message).digest();
  return BigInt(`0x${digest.reverse().toString('hex')}`);
}

/** R, then S = nonce + k · secret. */
export function oddSignature(choices: Choices): Uint8Array {
  const s = (choices.nonce + challenge(choices) * choices.secret) % ORDER;
  const S = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse();
  return Uint8Array.from(Buffer.concat([choices.R, S]));
}

/** The encoded point `scalar` · B. */
export function pointOf(scalar: bigint): Uint8Array {
  return ed25519.Point.BASE.multiply(scalar).toBytes();
}
