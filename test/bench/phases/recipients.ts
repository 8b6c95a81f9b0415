import { startFederation } from '../federation.js';
import { closeOrigin, ingest, openOrigin, serviceCpuMs } from '../ingest.js';
import type { BenchPlan } from '../options.js';
import { type PhaseResult, prefixed } from '../result.js';
import type { Stage } from '../stage.js';
import { type Measured, measured } from '../stats.js';

/** What each further recipient adds to the cost of an event, its own node's work included, against the cost with one. */
export async function measureRecipients(stage: Stage, plan: BenchPlan): Promise<PhaseResult> {
  const { most, events } = plan.recipients;
  const costs = new Map<number, Measured>();
  for (let count = 1; count <= most; count += 1) {
    stage.progress(`recipients: ${String(count)} of ${String(most)}`);
    const origin = await openOrigin(stage, await startFederation(stage, count));
    await ingest(origin, Math.ceil(plan.warmUp / 2));
    const runs: number[] = [];
    for (let round = 0; round < plan.rounds; round += 1) {
      runs.push(serviceCpuMs(await ingest(origin, events), origin.federation));
    }
    costs.set(count, measured(runs));
    await closeOrigin(origin);
  }
  const cpuMsOfFirst = costs.get(1)?.median ?? Number.NaN;
  const cpuMsOfFurther = ((costs.get(most)?.median ?? Number.NaN) - cpuMsOfFirst) / (most - 1);
  return {
    figures: { perRecipient: cpuMsOfFurther / cpuMsOfFirst, cpuMsOfFirst, cpuMsOfFurther },
    byProcess: {},
    measurements: prefixed('cpuMsWithRecipients', Object.fromEntries(costs)),
  };
}
