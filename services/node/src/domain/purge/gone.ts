import type { Cause } from './holding.js';

/** Why an event is not here any more, and never will be again. */
export type GoneBecause = 'PURGED' | 'RETENTION';

/**
 * Is an event gone for ever, for readers, for feeds and for backups alike?
 *
 * @param cause who buried it; undefined: nobody did
 */
export function goneBecause(cause: Cause | undefined): GoneBecause | undefined {
  if (cause === undefined) return undefined;
  return cause === 'order' ? 'PURGED' : 'RETENTION';
}
