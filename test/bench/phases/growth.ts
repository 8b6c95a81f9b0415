import { startFederation } from '../federation.js';
import { type IngestRun, closeOrigin, fill, ingest, openOrigin, serviceCpuMs } from '../ingest.js';
import type { BenchPlan } from '../options.js';
import type { PhaseResult } from '../result.js';
import type { Stage } from '../stage.js';
import { measured, median } from '../stats.js';

/** What an event costs with many stored, against few: CPU time of all services, which a busy machine disturbs least. */
export async function measureGrowth(stage: Stage, plan: BenchPlan): Promise<PhaseResult> {
  const { few, many, warmUp, events } = plan.growth;
  const origin = await openOrigin(stage, await startFederation(stage, 1));
  let stored = 0;
  const measureAt = async (wanted: number): Promise<IngestRun[]> => {
    stage.progress(`growth: filling up to ${String(wanted)} events`);
    await fill(origin, wanted - warmUp - stored);
    await origin.federation.restart();
    await fill(origin, warmUp);
    const runs: IngestRun[] = [];
    for (let round = 0; round < plan.rounds; round += 1) runs.push(await ingest(origin, events));
    stored = wanted + plan.rounds * events;
    return runs;
  };
  const atFew = await measureAt(few);
  const atMany = await measureAt(many);
  const { federation } = origin;
  const cpu = (runs: readonly IngestRun[]) =>
    measured(runs.map((run) => serviceCpuMs(run, federation)));
  const [cpuMsWithFew, cpuMsWithMany] = [cpu(atFew), cpu(atMany)];
  await closeOrigin(origin);
  const wall = (runs: readonly IngestRun[]) => median(runs.map((run) => run.wallMsPerEvent));
  const costGrowth = cpuMsWithMany.median / cpuMsWithFew.median;
  stage.progress(`growth: ${costGrowth.toFixed(2)} times the CPU time`);
  return {
    figures: {
      ...{ costGrowth, cpuMsWithFew: cpuMsWithFew.median, cpuMsWithMany: cpuMsWithMany.median },
      wallGrowth: wall(atMany) / wall(atFew),
    },
    byProcess: { cpuMsWithFewBy: byProcess(atFew), cpuMsWithManyBy: byProcess(atMany) },
    measurements: { cpuMsWithFew, cpuMsWithMany },
  };
}

function byProcess(runs: readonly IngestRun[]): Record<string, number> {
  return Object.fromEntries(
    Object.keys(runs[0]?.cpuMsPerEvent ?? {}).map((name) => [
      name,
      median(runs.map((run) => run.cpuMsPerEvent[name] ?? 0)),
    ]),
  );
}
