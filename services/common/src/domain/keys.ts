import { type KeyObject, createPublicKey } from 'node:crypto';
import { bytesKey, sha256 } from './bytes.js';
import { ConcordatError } from './errors.js';
import { type Result, err, ok } from './result.js';

/** The field of Curve25519 and the constants of RFC 8032 §5.1. */
const P = 2n ** 255n - 19n;
const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = mod(-121665n * inverse(121666n));
const SQRT_OF_MINUS_ONE = power(2n, (P - 1n) / 4n);

/** The DER of an Ed25519 SubjectPublicKeyInfo up to the 32 bytes of the key (RFC 8410 §4). */
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');
const KEY_ID_BYTES = 16;

function mod(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = mod(base);
  for (let left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}

function inverse(value: bigint): bigint {
  return power(value, P - 2n);
}

/** Extended homogeneous coordinates: x = X/Z, y = Y/Z, xy = T/Z (RFC 8032 §5.1.4). */
interface Point {
  readonly X: bigint;
  readonly Y: bigint;
  readonly Z: bigint;
  readonly T: bigint;
}

const NEUTRAL: Point = { X: 0n, Y: 1n, Z: 1n, T: 0n };

/** Complete: holds for any two points of the curve. */
function add(p: Point, q: Point): Point {
  const a = mod((p.Y - p.X) * (q.Y - q.X));
  const b = mod((p.Y + p.X) * (q.Y + q.X));
  const c = mod(2n * D * p.T * q.T);
  const d = mod(2n * p.Z * q.Z);
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return { X: mod(e * f), Y: mod(g * h), Z: mod(f * g), T: mod(e * h) };
}

function times(factor: bigint, point: Point): Point {
  let result = NEUTRAL;
  let double = point;
  for (let left = factor; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = add(result, double);
    double = add(double, double);
  }
  return result;
}

function isNeutral({ X, Y, Z }: Point): boolean {
  return X === 0n && Y === Z;
}

/** RFC 8032 §5.1.3, and no leniency: `undefined` for y ≥ p, for "minus zero", and off the curve. */
function decodePoint(raw: Uint8Array): Point | undefined {
  const number = BigInt(`0x${Buffer.from(raw).reverse().toString('hex')}`);
  const isOdd = number >> 255n === 1n;
  const y = number & (2n ** 255n - 1n);
  if (y >= P) return undefined;
  const u = mod(y * y - 1n);
  const v = mod(D * y * y + 1n);
  const root = mod(u * power(v, 3n) * power(u * power(v, 7n), (P - 5n) / 8n));
  const check = mod(v * root * root);
  if (check !== u && check !== mod(-u)) return undefined;
  const x = check === u ? root : mod(root * SQRT_OF_MINUS_ONE);
  if (x === 0n && isOdd) return undefined;
  const X = (x & 1n) === (isOdd ? 1n : 0n) ? x : P - x;
  return { X, Y: y, Z: 1n, T: mod(X * y) };
}

/**
 * Takes a public key into use.
 *
 * Node verifies with small-order keys too, and one of them "signs" any message with one fixed signature. An honest
 * key is a point of the prime-order group, so nothing else is taken: no small order, and no part of small order either,
 * with which verifiers disagree over one signature.
 *
 * @param raw 32 bytes (RFC 8032 §5.1.2)
 * @returns KEY_WEAK for another length, a second spelling of a point, no point, or a point of another order
 */
export function registerPublicKey(raw: Uint8Array): Result<KeyObject, ConcordatError> {
  const refuse = (came: string) =>
    err(new ConcordatError('KEY_WEAK', `expected a fresh Ed25519 public key, came ${came}`));
  if (raw.length !== 32) return refuse(`${raw.length} bytes instead of 32`);
  const point = decodePoint(raw);
  if (!point) return refuse('an encoding of no point, or not its only one');
  if (isNeutral(point) || !isNeutral(times(GROUP_ORDER, point))) {
    return refuse('a point outside the prime-order group');
  }
  return ok(createPublicKey({ key: Buffer.concat([SPKI_HEAD, raw]), format: 'der', type: 'spki' }));
}

/** base64url of the first 16 bytes of SHA-256 of the 32 raw bytes. */
export function keyIdOf(raw: Uint8Array): string {
  return bytesKey(sha256(raw).subarray(0, KEY_ID_BYTES));
}

/** The 32 raw bytes of an Ed25519 key, or of the public half of a private one. @throws TypeError for other keys */
export function rawPublicKey(key: KeyObject): Uint8Array {
  if (key.asymmetricKeyType !== 'ed25519') throw new TypeError('expected an Ed25519 key');
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  const der = publicKey.export({ format: 'der', type: 'spki' });
  return Uint8Array.from(der.subarray(SPKI_HEAD.length));
}
