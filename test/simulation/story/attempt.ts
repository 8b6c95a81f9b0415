import { type ConcordatErrorCode, asConcordatError } from '@concordat/common/domain/errors.js';

export type Attempt<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: ConcordatErrorCode };

/** Whoever asks does not know whether it was done: the line or the server failed. */
const UNKNOWN: ReadonlySet<ConcordatErrorCode> = new Set([
  'PEER_UNAVAILABLE',
  'BROKER_UNAVAILABLE',
]);

/** What came of a call: a refusal with a code is no failure of the story. */
export async function attempt<T>(call: Promise<T>): Promise<Attempt<T>> {
  try {
    return { ok: true, value: await call };
  } catch (cause) {
    return { ok: false, code: asConcordatError(cause).code };
  }
}

export function isUnknown(code: ConcordatErrorCode): boolean {
  return UNKNOWN.has(code);
}

export const SOON = { timeoutMs: 20_000 };
