import { AFTER_BURIAL } from '../domain/purge/order-of-commits.js';
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
  return new PacedRuns(context.clock, GROUP_MS, () => finishAndAnswer(context));
}

/** Deletes what is buried and not kept by law, and answers every entry that can be answered. */
export function finishAndAnswer(context: NodeContext): void {
  for (const step of AFTER_BURIAL) FINISH[step](context);
}

const FINISH: Readonly<Record<(typeof AFTER_BURIAL)[number], (context: NodeContext) => void>> = {
  deletion: finishBurials,
  receipts: writeReceipts,
};
