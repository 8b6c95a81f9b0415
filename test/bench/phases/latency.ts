import { startFederation } from '../federation.js';
import { closeOrigin, ingest, openOrigin } from '../ingest.js';
import type { BenchPlan } from '../options.js';
import { type RawRelay, openRawRelays } from '../raw-relay.js';
import type { PhaseResult } from '../result.js';
import type { Stage } from '../stage.js';
import { measured, percentile } from '../stats.js';
import type { SubscriberCalls } from '../workers/subscriber.js';

/** How long one event takes at a steady rate, from when it was due until a subscriber knows that it can be read. */
export async function measureLatency(stage: Stage, plan: BenchPlan): Promise<PhaseResult> {
  const { rounds, warmUp } = plan;
  const { seconds, perSecond } = plan.latency;
  const { plain, tuned } = await openRawRelays(stage);
  const origin = await openOrigin(stage, await startFederation(stage, 1));
  stage.progress('latency: warming up');
  for (const raw of [plain, tuned]) await raw.run(warmUp, 250);
  await ingest(origin, warmUp);
  const subscriber = await stage.worker<SubscriberCalls>('subscriber');
  await subscriber.calls.connect(origin.recipient);

  const ours = async (count: number): Promise<number[]> => {
    const { calls } = origin.publisher;
    const ids = await calls.prepare(count);
    return elapsed(await calls.publishSteadily(perSecond), await subscriber.calls.seen(ids));
  };
  const theirs = async (raw: RawRelay, count: number): Promise<number[]> => {
    await raw.consumer.calls.expect(await raw.producer.calls.prepare(count));
    const dueMs = await raw.producer.calls.sendSteadily(perSecond);
    return elapsed(dueMs, await raw.consumer.calls.seen());
  };
  await stage.unlessFailed(ours(perSecond));
  for (const raw of [plain, tuned]) await stage.unlessFailed(theirs(raw, perSecond));

  const [our, their, best]: [number[][], number[][], number[][]] = [[], [], []];
  for (let round = 1; round <= rounds; round += 1) {
    const ourMs = await stage.unlessFailed(ours(seconds * perSecond));
    const theirMs = await stage.unlessFailed(theirs(plain, seconds * perSecond));
    const bestMs = await stage.unlessFailed(theirs(tuned, seconds * perSecond));
    our.push(ourMs);
    their.push(theirMs);
    best.push(bestMs);
    const p99s = `p99 ${p(ourMs, 0.99)} ms, reference ${p(theirMs, 0.99)} ms, tuned ${p(bestMs, 0.99)} ms`;
    stage.progress(`latency: round ${String(round)} of ${String(rounds)}: ${p99s}`);
  }
  await subscriber.child.stop();
  await closeOrigin(origin);
  await Promise.all([plain.close(), tuned.close()]);

  const of = (runs: readonly number[][], share: number) =>
    measured(runs.map((run) => percentile(run, share)));
  const [p99Ms, rawP99Ms] = [of(our, 0.99), of(their, 0.99)];
  const [p50Ms, rawP50Ms] = [of(our, 0.5), of(their, 0.5)];
  const rawTunedP99Ms = of(best, 0.99);
  return {
    figures: {
      ...{ p99Ms: p99Ms.median, rawP99Ms: rawP99Ms.median },
      p99Ratio: p99Ms.median / rawP99Ms.median,
      ...{ p50Ms: p50Ms.median, rawP50Ms: rawP50Ms.median },
      rawTunedP99Ms: rawTunedP99Ms.median,
    },
    byProcess: {},
    measurements: { p99Ms, rawP99Ms, rawTunedP99Ms, p50Ms, rawP50Ms },
  };
}

function elapsed(dueMs: readonly number[], seenMs: readonly number[]): number[] {
  return dueMs.map((ms, at) => (seenMs[at] ?? Number.NaN) - ms);
}

function p(values: readonly number[], share: number): string {
  return percentile(values, share).toFixed(1);
}
