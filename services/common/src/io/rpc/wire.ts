import type { MessageType } from '#generated/concordat.js';
import protobuf from 'protobufjs/minimal.js';
import { ConcordatError } from '../../domain/errors.js';

/** The most fields one message may have, counted through all that it contains: 4,096 key answers need half. */
export const FIELDS_MAX = 200_000;

/** A 64-bit integer as a number. @throws RangeError beyond 2^53, where a number would silently be another one */
function safe(value: unknown): number {
  const number = Number(String(value));
  if (!Number.isSafeInteger(number)) throw new RangeError('a 64-bit integer beyond 2^53 - 1');
  return number;
}

/** Numbers instead of Longs, unknown fields dropped, and a bound on what a small message can blow up to. */
function boundedReader(bytes: Uint8Array, fieldsMax: number): object {
  const usual = protobuf.Reader.prototype;
  const reader = new protobuf.Reader(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
  reader.discardUnknown = true;
  let fields = 0;
  return Object.assign(reader, {
    int64: () => safe(usual.int64.call(reader)),
    uint64: () => safe(usual.uint64.call(reader)),
    tag: () => {
      fields += 1;
      if (fields > fieldsMax) throw new RangeError(`more than ${fieldsMax} fields`);
      return usual.tag.call(reader);
    },
  });
}

const choicesOf = new WeakMap<object, readonly string[]>();

/** Names of a message type's oneofs: accessors of its prototype. */
function choices(prototype: object): readonly string[] {
  const known = choicesOf.get(prototype);
  if (known) return known;
  const names = Object.getOwnPropertyNames(prototype).filter((name) => {
    const property = Reflect.getOwnPropertyDescriptor(prototype, name);
    return property !== undefined && 'get' in property;
  });
  choicesOf.set(prototype, names);
  return names;
}

/** What protobufjs leaves on prototypes (defaults, oneofs) becomes own: a copy or a comparison then sees all of it. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map(plain);
  const prototype: unknown = Object.getPrototypeOf(value);
  const isMap =
    prototype === Object.prototype || typeof prototype !== 'object' || prototype === null;
  // A map's keys are the sender's: without a prototype, `__proto__` is a key like any other.
  const out: Record<string, unknown> = isMap ? { __proto__: null } : {};
  const names: string[] = isMap ? [] : [...choices(prototype)];
  for (const name in value) names.push(name);
  for (const name of names) out[name] = plain(Reflect.get(value, name));
  return out;
}

/** @param bytesMax a longer message is refused: MESSAGE_TOO_LARGE */
export function encode<T>(type: MessageType<T>, message: T, bytesMax: number): Buffer {
  const bytes = type.encode(message).finish();
  checkSize(bytes.length, bytesMax);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/**
 * Reads one message into a plain object with every field set. Its `bytes` fields are views of `bytes`: copy what is
 * to be kept for long.
 *
 * @throws ConcordatError MESSAGE_TOO_LARGE, or REQUEST_INVALID for anything that is not this message
 */
export function decode<T>(
  type: MessageType<T>,
  bytes: Uint8Array,
  bytesMax: number,
  fieldsMax = FIELDS_MAX,
): T {
  checkSize(bytes.length, bytesMax);
  try {
    return plain(type.decode(boundedReader(bytes, fieldsMax))) as T;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'unreadable';
    throw new ConcordatError(
      'REQUEST_INVALID',
      `expected a message as in proto/, came ${bytes.length} bytes that are none: ${why}`,
      { cause },
    );
  }
}

function checkSize(length: number, bytesMax: number): void {
  if (length <= bytesMax) return;
  throw new ConcordatError(
    'MESSAGE_TOO_LARGE',
    `expected a message of at most ${bytesMax} bytes, came ${length}: ask for less at a time`,
  );
}
