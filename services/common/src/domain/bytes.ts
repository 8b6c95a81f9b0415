import { hash } from 'node:crypto';
import type { Hash } from './ids.js';

const HASH_BYTES = 32;

/**
 * In one call: it costs half of what an object with updates does, and most of what is hashed is short. The digest comes as
 * text of one character a byte, since node:crypto makes a Buffer of its own memory three times as slowly.
 */
export function sha256(...parts: readonly Uint8Array[]): Hash {
  const [first] = parts;
  const whole = parts.length === 1 && first ? first : concatBytes(...parts);
  const digest = hash('sha256', whole, 'binary');
  const bytes = new Uint8Array(HASH_BYTES);
  for (let at = 0; at < HASH_BYTES; at += 1) bytes[at] = digest.charCodeAt(at);
  return bytes as Hash;
}

/** Up to so many bytes V8 keeps an array in its own heap, where it costs next to nothing. */
const IN_HEAP_MAX = 64;
const SLAB_BYTES = 16_384;
let slab = new ArrayBuffer(SLAB_BYTES);
let taken = 0;

/**
 * Zeros. What does not fit into V8's heap shares memory with its neighbours, none of it given out twice: a piece of its own costs
 * up to 2 µs until the garbage collector has freed it, which is as much as hashing a kilobyte.
 */
export function newBytes(length: number): Uint8Array {
  return length > IN_HEAP_MAX ? outsideOfHeap(length) : new Uint8Array(length);
}

/** The same for bytes of any length that go to OpenSSL or SQLite: what lies in V8's heap is moved out of it for them, one by one. */
export function outsideOfHeap(length: number): Uint8Array {
  if (length > SLAB_BYTES / 4) return new Uint8Array(length);
  if (taken + length > SLAB_BYTES) {
    slab = new ArrayBuffer(SLAB_BYTES);
    taken = 0;
  }
  const bytes = new Uint8Array(slab, taken, length);
  taken += length;
  return bytes;
}

export const ZERO_HASH = new Uint8Array(32) as Hash;

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

const encoder = new TextEncoder();

/** Up to so many characters a loop is faster than the encoder, which makes memory of its own each time. */
const SHORT_TEXT = 64;

export function utf8(text: string): Uint8Array {
  return (text.length <= SHORT_TEXT ? ascii(text) : undefined) ?? encoder.encode(text);
}

function ascii(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < bytes.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= 0x80) return undefined;
    bytes[at] = code;
  }
  return bytes;
}

/** Four bytes, big-endian. */
export function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  bytes[0] = value >>> 24;
  bytes[1] = value >>> 16;
  bytes[2] = value >>> 8;
  bytes[3] = value;
  return bytes;
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const bytes = newBytes(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Each part behind its length (four bytes, big-endian), so that no two lists of parts share an encoding. */
export function lengthPrefixed(...parts: readonly Uint8Array[]): Uint8Array {
  let whole = 0;
  for (const { length } of parts) whole += 4 + length;
  const bytes = newBytes(whole);
  let at = 0;
  for (const part of parts) {
    const { length } = part;
    bytes[at] = length >>> 24;
    bytes[at + 1] = length >>> 16;
    bytes[at + 2] = length >>> 8;
    bytes[at + 3] = length;
    bytes.set(part, at + 4);
    at += 4 + length;
  }
  return bytes;
}

/** A map key for a hash or other bytes; base64url, so that no run of digits in a log looks like a number. */
export function bytesKey(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
