import { setTimeout as delay } from 'node:timers/promises';
import { type Strike, type StrikeKind, groupOf } from '../plan.js';
import type { World } from '../world.js';
import { act } from './strike.js';

/** Strikes at the moments of the plan; those of one group wait for one another. Resolves when all is whole again. */
export async function rage(
  world: World,
  plan: readonly Strike[],
): Promise<Readonly<Partial<Record<StrikeKind, number>>>> {
  const startMs = performance.now();
  const counts: Partial<Record<StrikeKind, number>> = {};
  const before = new Map<string, Promise<void>>();
  const strikes = plan.map((strike) => {
    const group = groupOf(strike.kind);
    const earlier = before.get(group) ?? Promise.resolve();
    const one = earlier.then(async () => {
      await delay(Math.max(0, startMs + strike.atMs - performance.now()));
      const struck = await act(world, strike);
      if (struck === undefined) return;
      counts[strike.kind] = (counts[strike.kind] ?? 0) + 1;
      if (strike.kind !== 'reader-kill') {
        const when = `${(strike.atMs / 1_000).toFixed(1)} s`;
        world.tell(`  ${when} ${strike.kind} ${struck}, ${String(strike.lastsMs)} ms`);
      }
    });
    before.set(group, one);
    return one;
  });
  await Promise.all(strikes);
  await world.cluster.ready();
  return counts;
}
