import { type Result, err, ok } from './result.js';

declare const brand: unique symbol;
/** A `T` that only its own parser makes. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** A member of the federation: 2 to 8 lower-case letters, `de` or `un`. */
export type MemberId = Brand<string, 'MemberId'>;
/** An event's id within its origin: UUIDv7 in lower-case text form (RFC 9562 §5.7). */
export type EventId = Brand<string, 'EventId'>;
/** A purge order's id: 128 bits in UUID text form. An officer's is a UUIDv7, a rule's is derived from its event. */
export type OrderId = Brand<string, 'OrderId'>;
/** Milliseconds since 1970-01-01T00:00:00Z. */
export type UnixMs = Brand<number, 'UnixMs'>;
/** Milliseconds of a clock that never goes back and counts suspended time where the system can. */
export type MonotonicMs = Brand<number, 'MonotonicMs'>;
/** SHA-256, 32 bytes. */
export type Hash = Brand<Uint8Array, 'Hash'>;

/** The services that speak to each other; a certificate names exactly one. */
export const SERVICE_NAMES = ['node', 'consent', 'revocation', 'system', 'operator'] as const;
/** `system`: a national system that publishes and reads. `operator`: a person at the command line. */
export type ServiceName = (typeof SERVICE_NAMES)[number];

export function parseMemberId(text: string): Result<MemberId, 'MEMBER_ID_MALFORMED'> {
  return /^[a-z]{2,8}$/.test(text) ? ok(text as MemberId) : err('MEMBER_ID_MALFORMED');
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export function parseEventId(text: string): Result<EventId, 'EVENT_ID_MALFORMED'> {
  return UUID_V7.test(text) ? ok(text as EventId) : err('EVENT_ID_MALFORMED');
}

export function parseOrderId(text: string): Result<OrderId, 'ORDER_ID_MALFORMED'> {
  return UUID.test(text) ? ok(text as OrderId) : err('ORDER_ID_MALFORMED');
}

/** The 16 bytes of a UUID's text form. */
export function idBytes(id: EventId | OrderId): Uint8Array {
  const bytes = new Uint8Array(16);
  writeId(id, bytes, 0);
  return bytes;
}

/** The same, into `bytes` from `start` on. */
export function writeId(id: EventId | OrderId, bytes: Uint8Array, start: number): void {
  for (let i = 0; i < PLACES.length; i += 1) {
    const at = PLACES[i] ?? 0;
    bytes[start + i] = (nibble(id.charCodeAt(at)) << 4) | nibble(id.charCodeAt(at + 1));
  }
}

/** Of a lower-case hexadecimal digit's character code: only letters have the bit of 64. */
function nibble(code: number): number {
  return (code & 15) + 9 * (code >> 6);
}

/** The two character codes of each octet, one behind the other. */
const DIGITS = Uint8Array.from(
  Buffer.from(
    Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, '0')).join(''),
  ),
);
/** Where the digits of each of the 16 octets stand in the text. */
const PLACES = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
const UUID_CHARACTERS = Buffer.from('-'.repeat(36));

/** The text form of the 16 bytes that begin at `from` (RFC 9562 §4). */
export function uuidText(bytes: Uint8Array, from = 0): string {
  for (let i = 0; i < PLACES.length; i += 1) {
    const octet = bytes[from + i] ?? 0;
    const at = PLACES[i] ?? 0;
    UUID_CHARACTERS[at] = DIGITS[2 * octet] ?? 0;
    UUID_CHARACTERS[at + 1] = DIGITS[2 * octet + 1] ?? 0;
  }
  return UUID_CHARACTERS.toString('latin1');
}

export function eventIdOf(bytes: Uint8Array): Result<EventId, 'EVENT_ID_MALFORMED'> {
  return bytes.length === 16 ? parseEventId(uuidText(bytes)) : err('EVENT_ID_MALFORMED');
}

export function orderIdOf(bytes: Uint8Array): Result<OrderId, 'ORDER_ID_MALFORMED'> {
  return bytes.length === 16 ? parseOrderId(uuidText(bytes)) : err('ORDER_ID_MALFORMED');
}

export function asUnixMs(value: number): UnixMs {
  return value as UnixMs;
}
