import type { EventId } from '@concordat/common/domain/ids.js';
import type { PurgeOutcome } from '@concordat/common/domain/records.js';
import { type Cause, holdingOf, outcomeOf } from './holding.js';

export interface EventOutcome {
  readonly id: EventId;
  readonly outcome: PurgeOutcome;
}

/** What the node has of an event of an entry, in the commit that takes the entry. */
export interface EntryEvent {
  readonly id: EventId;
  /** who buried it before; undefined: nobody did */
  readonly cause: Cause | undefined;
  /** a ciphertext or a key of what the entry takes is here */
  readonly isHeld: boolean;
}

export interface EntryFacts {
  /** what the entry takes of its events: these sections, or, none named, all */
  readonly sections: readonly string[];
  readonly events: readonly EntryEvent[];
  /** what this node's own receipt for the entry says, given before the state was lost */
  readonly given: readonly EventOutcome[] | undefined;
}

/** What an entry does in its commit. */
export interface Burial {
  readonly takes: 'events' | 'sections';
  /** remembered for ever, held or not (S10) */
  readonly ids: readonly EventId[];
  /** judged before the deletion and kept with the tombstones, so that a crash in between changes no receipt */
  readonly outcomes: readonly EventOutcome[];
}

/** What was answered is not judged anew (S13). */
export function burialOf({ sections, events, given }: EntryFacts): Burial {
  const judged = events.map(({ id, cause, isHeld }) => ({
    id,
    outcome: outcomeOf(holdingOf(cause, isHeld)),
  }));
  return {
    takes: sections.length === 0 ? 'events' : 'sections',
    ids: events.map(({ id }) => id),
    outcomes: given ?? judged,
  };
}

/**
 * Does a section order find anything here? What an earlier entry took is gone, or will be before the receipt.
 *
 * @param held names of sections with a ciphertext or a key here
 * @param gone names of sections that are taken back
 */
export function holdsAnyOf(
  taken: readonly string[],
  held: readonly string[],
  gone: ReadonlySet<string>,
): boolean {
  return held.some((name) => taken.includes(name) && !gone.has(name));
}
