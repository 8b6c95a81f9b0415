/**
 * In which order the stores of a node are changed. They are several files that cannot commit as one, so every item is durable
 * before the next is begun, and a crash after any of them leaves what the next start finishes.
 */

/** What an entry has buried, after its own commit: no receipt speaks of what is still there (S2). */
export const AFTER_BURIAL = ['deletion', 'receipts'] as const;

/** Keys first: a ciphertext without them is nothing. Only when both journals are empty too is it finished. */
export const DELETION = ['leases', 'keys', 'rows', 'journals', 'finished'] as const;

/** What an origin answered: tombstones before keys, so that nothing sealed is stored; rows can be read last. */
export const KEYS_CAME = ['tombstones', 'keys', 'notices', 'rows', 'leases', 'deletion'] as const;

/** At every start, before anything is served. */
const AT_START = ['deletion', 'receipts', 'key answers'] as const;

/** After a crash, and when a store was lost or put back from an earlier copy: what came back goes before any receipt (S7). */
const AFTER_CRASH = ['what came back', ...AT_START] as const;

export type StartStep = (typeof AFTER_CRASH)[number];

/** @param isClean the last stop was clean, and all stores are those that it left */
export function startSteps(isClean: boolean): readonly StartStep[] {
  return isClean ? AT_START : AFTER_CRASH;
}
