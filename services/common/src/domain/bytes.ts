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
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const bytes = new Uint8Array(length);
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
  const bytes = new Uint8Array(whole);
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
