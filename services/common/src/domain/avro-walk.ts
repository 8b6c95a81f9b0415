import { isUtf8 } from 'node:buffer';

/**
 * What is read at most. A 5-byte record can claim 300 million items; a usual decoder would try. Nothing here allocates by
 * what the bytes claim.
 */
export interface AvroLimits {
  readonly bytesMax: number;
  readonly itemsMax: number;
  readonly depthMax: number;
}

export const RECORD_LIMITS: AvroLimits = { bytesMax: 1024 * 1024, itemsMax: 20_000, depthMax: 32 };
export const EVENT_LIMITS: AvroLimits = { bytesMax: 256 * 1024, itemsMax: 10_000, depthMax: 32 };

/** The message says what is wrong, never what was read. */
export class Malformed extends Error {}

/** A place in Avro bytes that are read from front to back, and how to say where it is. */
export interface Walk {
  readonly bytes: Uint8Array;
  at: number;
  items: number;
  readonly limits: AvroLimits;
  /** field names and positions down to here, as deep as `depth` says; what is deeper is left over */
  readonly path: (string | number)[];
  depth: number;
}

/** `$.blocks[3].proof` */
export function pathOf({ path, depth }: Walk): string {
  return path.slice(0, depth).reduce<string>((text, part) => {
    if (part === '') return text;
    return typeof part === 'number' ? `${text}[${String(part)}]` : `${text}.${part}`;
  }, '$');
}

/** One level down; whoever calls it goes up again. @returns the place in `path` of the name of what stands there */
export function enter(walk: Walk): number {
  const { depth } = walk;
  walk.path[depth] = '';
  walk.depth = depth + 1;
  if (walk.depth > walk.limits.depthMax) throw new Malformed('deeper than the limit');
  return depth;
}

/** @returns where the skipped bytes begin */
export function skip(walk: Walk, count: number): number {
  const { at } = walk;
  if (count > walk.bytes.length - at) throw new Malformed('cut short');
  walk.at = at + count;
  return at;
}

/** A view, not a copy. */
export function view(walk: Walk, count: number): Uint8Array {
  const { bytes } = walk;
  return new Uint8Array(bytes.buffer, bytes.byteOffset + skip(walk, count), count);
}

/** For `bytes` and `string`. */
export function length(walk: Walk): number {
  const value = varint(walk);
  if (value < 0 || value > walk.bytes.length) throw new Malformed('cut short');
  return value;
}

export function boolean(walk: Walk): boolean {
  const byte = walk.bytes[skip(walk, 1)] ?? 2;
  if (byte > 1) throw new Malformed('a boolean is 0 or 1');
  return byte === 1;
}

export function int(walk: Walk): number {
  const value = varint(walk);
  if (value < -(2 ** 31) || value >= 2 ** 31) throw new Malformed('not 32 bits');
  return value;
}

/** Seven bits of a byte each: what six bytes hold is exact in a JavaScript number. */
const EXACT_BYTES = 6;

/** Zig-zag, at most 64 bits, in its shortest form; and safe for a JavaScript number. */
export function varint(walk: Walk): number {
  const { bytes, at: start } = walk;
  const first = bytes[start];
  if (first !== undefined && first < 0x80) {
    walk.at = start + 1;
    return (first >>> 1) ^ -(first & 1);
  }
  let raw = 0;
  let factor = 1;
  for (let i = 0; ; i += 1) {
    const byte = bytes[start + i];
    if (byte === undefined) throw new Malformed('cut short');
    if (i < EXACT_BYTES) raw += (byte & 0x7f) * factor;
    factor *= 128;
    if (byte < 0x80) {
      if (byte === 0 && i > 0) throw new Malformed('a number is not in its shortest form');
      walk.at = start + i + 1;
      if (i >= EXACT_BYTES) return largeVarint(bytes.subarray(start, walk.at));
      return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
    }
    if (i === 9) throw new Malformed('a number has more than 64 bits');
  }
}

function largeVarint(bytes: Uint8Array): number {
  const raw = bytes.reduceRight((sum, byte) => (sum << 7n) | BigInt(byte & 0x7f), 0n);
  const value = raw % 2n === 0n ? raw / 2n : -(raw + 1n) / 2n;
  if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER)) {
    throw new Malformed('a number is larger than 2^53');
  }
  return Number(value);
}

/** Texts of this length at most are remembered: names, not contents. */
const REMEMBERED_BYTES_MAX = 64;

/**
 * Reads a text at one place of a schema. What stands there is mostly what stood there the time before (a category, a purpose, a
 * name of a section), and then it is the same text, neither checked nor made again.
 */
export function textReader(): (walk: Walk) => string {
  let before = new Uint8Array();
  let text = '';
  return (walk) => {
    const count = length(walk);
    const at = skip(walk, count);
    if (count === before.length && isSame(walk.bytes, at, before)) return text;
    const { buffer, byteOffset } = walk.bytes;
    const given = Buffer.from(buffer, byteOffset + at, count);
    if (!isUtf8(given)) throw new Malformed('not UTF-8');
    const read = given.toString('utf8');
    if (count <= REMEMBERED_BYTES_MAX) {
      before = Uint8Array.from(given);
      text = read;
    }
    return read;
  };
}

function isSame(bytes: Uint8Array, at: number, before: Uint8Array): boolean {
  for (let i = 0; i < before.length; i += 1) if (bytes[at + i] !== before[i]) return false;
  return true;
}
