import { startFederation } from '../federation.js';
import { type Origin, closeOrigin, ingest, openOrigin } from '../ingest.js';
import type { BenchPlan } from '../options.js';
import type { PhaseResult } from '../result.js';
import type { Stage } from '../stage.js';
import { measured, percentile } from '../stats.js';
import { untilComplete } from '../until-complete.js';
import { type Officer, openOfficer } from '../withdraw.js';

/** How long an order takes at a steady rate, with events being published, until every receipt is verified at the origin. */
export async function measurePurge(stage: Stage, plan: BenchPlan): Promise<PhaseResult> {
  const { rounds, warmUp, purge } = plan;
  const origin = await openOrigin(stage, await startFederation(stage, 1));
  stage.progress('purge: warming up');
  await ingest(origin, warmUp);
  const officer = await openOfficer(origin);
  await stage.unlessFailed(oneRun(origin, officer, { ...purge, seconds: 1 }));
  const runs: number[][] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const run = await stage.unlessFailed(oneRun(origin, officer, purge));
    runs.push(run);
    const p99 = `p99 ${percentile(run, 0.99).toFixed(1)} ms`;
    stage.progress(`purge: round ${String(round)} of ${String(rounds)}: ${p99}`);
  }
  await officer.child.stop();
  await closeOrigin(origin);
  const purgeP99Ms = measured(runs.map((run) => percentile(run, 0.99)));
  const purgeP50Ms = measured(runs.map((run) => percentile(run, 0.5)));
  return {
    figures: { purgeP99Ms: purgeP99Ms.median, purgeP50Ms: purgeP50Ms.median },
    byProcess: {},
    measurements: { purgeP99Ms, purgeP50Ms },
  };
}

/** @returns for each order, from when it was due until its receipt was verified, in ms */
async function oneRun(
  origin: Origin,
  officer: Officer,
  { seconds, ordersPerSecond, eventsPerSecond }: BenchPlan['purge'],
): Promise<number[]> {
  const { federation, publisher } = origin;
  const orders = seconds * ordersPerSecond;
  const events = seconds * eventsPerSecond;
  const { ids } = await ingest(origin, orders);
  await officer.calls.prepare(ids.map((id) => [id]));
  await publisher.calls.prepare(events);
  const [held = 0] = await federation.readable();
  const [sent] = await Promise.all([
    officer.calls.orderSteadily(ordersPerSecond),
    publisher.calls.publishSteadily(eventsPerSecond),
  ]);
  const orderIds = sent.map(({ orderId }) => orderId);
  const holders = federation.recipients.length;
  const answeredMs = await officer.calls.answered({ orderIds, holders });
  await untilComplete('events that can be read', held + events - orders, async () => {
    const [readable = 0] = await federation.readable();
    return readable;
  });
  return sent.map(({ dueAtMs }, at) => (answeredMs[at] ?? Number.NaN) - dueAtMs);
}
