import { readSome } from '../read-some.js';
import { startFederation } from '../federation.js';
import { type IngestRun, closeOrigin, ingest, openOrigin } from '../ingest.js';
import type { BenchPlan } from '../options.js';
import { bestSendSize, openRawRelays } from '../raw-relay.js';
import type { Stage } from '../stage.js';
import { type Measured, measured, median } from '../stats.js';
import { type PhaseResult, medians, prefixed } from '../result.js';

/** How many events a second, until the recipient can read them, beside the reference. */
export async function measureThroughput(stage: Stage, plan: BenchPlan): Promise<PhaseResult> {
  const { rounds, events, warmUp } = plan;
  const { plain, tuned } = await openRawRelays(stage);
  const origin = await openOrigin(stage, await startFederation(stage, 1));
  stage.progress('throughput: warming up');
  for (const raw of [plain, tuned]) await raw.run(warmUp, 250);
  await ingest(origin, warmUp);
  const rawSendSize = await bestSendSize(plain, events);
  const rawTunedSendSize = await bestSendSize(tuned, events);
  stage.progress(
    `throughput: the reference is quickest with ${String(rawSendSize)} records a send, tuned ${String(rawTunedSendSize)}`,
  );
  const ours: IngestRun[] = [];
  const [plainRates, tunedRates]: [number[], number[]] = [[], []];
  for (let round = 1; round <= rounds; round += 1) {
    const run = await ingest(origin, events);
    const rawRate = await plain.run(events, rawSendSize);
    const tunedRate = await tuned.run(events, rawTunedSendSize);
    ours.push(run);
    plainRates.push(rawRate);
    tunedRates.push(tunedRate);
    const rates = `${run.eventsPerSecond.toFixed(0)} events/s, reference ${rawRate.toFixed(0)}, tuned ${tunedRate.toFixed(0)}`;
    stage.progress(`throughput: round ${String(round)} of ${String(rounds)}: ${rates}`);
  }
  await readSome(
    origin,
    ours.flatMap(({ ids }) => ids),
  );
  await closeOrigin(origin);
  await Promise.all([plain.close(), tuned.close()]);
  const eventsPerSecond = measured(ours.map((run) => run.eventsPerSecond));
  const rawEventsPerSecond = measured(plainRates);
  const rawTunedEventsPerSecond = measured(tunedRates);
  const cpu = cpuOf(ours);
  return {
    figures: {
      ratio: eventsPerSecond.median / rawEventsPerSecond.median,
      eventsPerSecond: eventsPerSecond.median,
      rawEventsPerSecond: rawEventsPerSecond.median,
      rawSendSize,
      ratioToTuned: eventsPerSecond.median / rawTunedEventsPerSecond.median,
      rawTunedEventsPerSecond: rawTunedEventsPerSecond.median,
      rawTunedSendSize,
      eventsPerBlock: median(ours.map((run) => run.eventsPerBlock)),
    },
    byProcess: { cpuMsPerEvent: medians(cpu) },
    measurements: {
      ...{ eventsPerSecond, rawEventsPerSecond, rawTunedEventsPerSecond },
      ...prefixed('cpuMsPerEvent', cpu),
    },
  };
}

/** Every process's CPU time for an event, run by run. */
function cpuOf(runs: readonly IngestRun[]): Record<string, Measured> {
  const names = Object.keys(runs[0]?.cpuMsPerEvent ?? {});
  return Object.fromEntries(
    names.map((name) => [name, measured(runs.map((run) => run.cpuMsPerEvent[name] ?? 0))]),
  );
}
