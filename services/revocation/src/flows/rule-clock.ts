import { setImmediate as turn } from 'node:timers/promises';
import { Repeating } from '@concordat/common/io/repeating.js';
import type { RevocationContext } from './context.js';
import { makeRuleOrders } from './make-rule-orders.js';

/** Looks again and again for events whose retention is over. */
export function ruleClock(
  context: RevocationContext,
  everyMs: number,
  onOrders: () => void,
): Repeating {
  const { clock } = context;
  return new Repeating(clock, everyMs, async (signal) => {
    while (makeRuleOrders(context, 'all', clock.nowMs())) {
      await turn();
      if (signal.aborted) return;
    }
    onOrders();
  });
}
