import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import type { SealHolder } from '@concordat/common/domain/records.js';

export const ENTRY_IDS_MAX = 4096;

/** One purge entry before it has its number: part `part` of `parts` of what `recipient` holds. */
export interface EntryDraft {
  readonly recipient: MemberId;
  readonly part: number;
  readonly parts: number;
  readonly ids: readonly EventId[];
}

/** Whoever holds is addressed (S4), each about its own events only. */
export function draftEntries(
  holders: readonly SealHolder[],
  idsMax: number = ENTRY_IDS_MAX,
): readonly EntryDraft[] {
  return holders.flatMap(({ recipient, ids }) => {
    const parts = Math.ceil(ids.length / idsMax);
    return Array.from({ length: parts }, (_, index) => ({
      recipient,
      part: index + 1,
      parts,
      ids: ids.slice(index * idsMax, (index + 1) * idsMax),
    }));
  });
}
