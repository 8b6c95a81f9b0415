import { startFederation } from '../federation.js';
import { closeOrigin, ingest, openOrigin } from '../ingest.js';
import type { BenchPlan } from '../options.js';
import type { PhaseResult } from '../result.js';
import type { Stage } from '../stage.js';
import { measured } from '../stats.js';
import { openOfficer, withdraw } from '../withdraw.js';

/** How fast a great many events are taken back, against how fast the same node takes them in. */
export async function measureBulk(stage: Stage, plan: BenchPlan): Promise<PhaseResult> {
  const { rounds, warmUp } = plan;
  const { orders, idsPerOrder } = plan.bulk;
  const each = Math.ceil((orders * idsPerOrder) / rounds);
  const origin = await openOrigin(stage, await startFederation(stage, 1));
  stage.progress('bulk: warming up');
  const early = await ingest(origin, warmUp);
  const officer = await openOfficer(origin);
  await withdraw(origin, officer, early.ids, idsPerOrder);
  const ids: string[] = [];
  const ingested: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const run = await ingest(origin, each);
    ids.push(...run.ids);
    ingested.push(run.eventsPerSecond);
    const rate = `${run.eventsPerSecond.toFixed(0)} events/s taken in`;
    stage.progress(`bulk: round ${String(round)} of ${String(rounds)}: ${rate}`);
  }
  stage.progress(`bulk: taking ${String(ids.length)} events back`);
  const purged = await withdraw(origin, officer, ids, idsPerOrder);
  stage.progress(`bulk: ${purged.toFixed(0)} events/s taken back`);
  await officer.child.stop();
  await closeOrigin(origin);
  const bulkIngestedPerSecond = measured(ingested);
  return {
    figures: {
      bulkPurgeRatio: purged / bulkIngestedPerSecond.median,
      bulkPurgedPerSecond: purged,
      bulkIngestedPerSecond: bulkIngestedPerSecond.median,
    },
    byProcess: {},
    measurements: { bulkIngestedPerSecond, bulkPurgedPerSecond: measured([purged]) },
  };
}
