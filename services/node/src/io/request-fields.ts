import { fieldError } from '@concordat/common/domain/errors.js';
import {
  type EventId,
  type MemberId,
  parseEventId,
  parseMemberId,
} from '@concordat/common/domain/ids.js';
import type { SystemKind } from './state/systems-table.js';

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

export function demandFew(field: string, given: readonly unknown[], max: number): void {
  if (given.length <= max) return;
  const problem = `expected at most ${String(max)}, got ${String(given.length)}`;
  throw fieldError('REQUEST_INVALID', field, problem);
}

export function systemIdField(field: string, text: string): string {
  if (/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/.test(text)) return text;
  const problem = 'expected 1 to 64 lower-case letters, digits and inner hyphens';
  throw fieldError('REQUEST_INVALID', field, problem);
}

export function systemKindField(field: string, text: string): SystemKind {
  if (text === 'view' || text === 'copy') return text;
  throw fieldError('REQUEST_INVALID', field, 'expected view or copy');
}
