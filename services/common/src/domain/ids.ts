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
  return Uint8Array.from(Buffer.from(id.replaceAll('-', ''), 'hex'));
}

/** The text form of 16 bytes (RFC 9562 §4). */
export function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
}

export function eventIdOf(bytes: Uint8Array): Result<EventId, 'EVENT_ID_MALFORMED'> {
  return parseEventId(uuidText(bytes));
}

export function orderIdOf(bytes: Uint8Array): Result<OrderId, 'ORDER_ID_MALFORMED'> {
  return parseOrderId(uuidText(bytes));
}

export function asUnixMs(value: number): UnixMs {
  return value as UnixMs;
}
