import type { NodeContext } from './context.js';
import { finishBurials } from './finish-burials.js';
import { writeReceipts } from './honour-purge.js';
import { PacedRuns } from './paced-runs.js';

/** Entries that come within this time share deletion and receipts (DESIGN 4: at most 50 ms). */
const GROUP_MS = 40;

/**
 * Deletes what purge entries of all origins have buried, and answers them: emptying two journals costs more than deleting
 * what a hundred entries cover. Nothing happens between the deletion and the receipts, so no receipt speaks of what was
 * buried in between.
 */
export function burialsOf(context: NodeContext): PacedRuns {
  return new PacedRuns(context.clock, GROUP_MS, () => {
    finishBurials(context);
    writeReceipts(context);
  });
}
