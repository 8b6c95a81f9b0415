import { fieldError } from '@concordat/common/domain/errors.js';
import {
  type EventId,
  type MemberId,
  parseEventId,
  parseMemberId,
} from '@concordat/common/domain/ids.js';

function need<T>(
  field: string,
  parsed: { readonly ok: true; readonly value: T } | { readonly ok: false },
  expected: string,
): T {
  if (parsed.ok) return parsed.value;
  throw fieldError('REQUEST_INVALID', field, `expected ${expected}`);
}

export function eventIdField(field: string, text: string): EventId {
  return need(field, parseEventId(text), 'a UUIDv7 in lower-case text form');
}

export function memberField(field: string, text: string): MemberId {
  return need(field, parseMemberId(text), 'a member id of 2 to 8 lower-case letters');
}
