import { rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { readSettings } from '@concordat/cli/config.js';
import { type BenchPlan, type Phase, readPlan } from './options.js';
import { measureBulk } from './phases/bulk.js';
import { measureGrowth } from './phases/growth.js';
import { measureLatency } from './phases/latency.js';
import { measurePurge } from './phases/purge.js';
import { measureRecipients } from './phases/recipients.js';
import { measureThroughput } from './phases/throughput.js';
import { makeReport } from './report.js';
import type { PhaseResult } from './result.js';
import { type Stage, openStage } from './stage.js';
import { tableOf } from './table.js';

const MEASURE: Readonly<Record<Phase, (stage: Stage, plan: BenchPlan) => Promise<PhaseResult>>> = {
  throughput: measureThroughput,
  latency: measureLatency,
  purge: measurePurge,
  bulk: measureBulk,
  growth: measureGrowth,
  recipients: measureRecipients,
};

async function run(plan: BenchPlan): Promise<void> {
  const workDir = resolve(dirname(plan.out), 'bench');
  const { brokers: kafkaBrokers, brokerWay } = readSettings(process.env);
  const stage = await openStage({
    dir: join(workDir, 'work'),
    ...{ kafkaBrokers, brokerWay },
    profiled: plan.profile,
    profilesDir: join(workDir, 'profiles'),
    progress: (text) => process.stderr.write(`${text}\n`),
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stage.fail(new Error(`ended by ${signal}`)));
  }
  try {
    const results: PhaseResult[] = [];
    for (const phase of plan.phases) {
      results.push(await stage.unlessFailed(MEASURE[phase](stage, plan)));
    }
    const report = await makeReport(stage, plan, results);
    await writeFile(plan.out, `${JSON.stringify(report, undefined, 2)}\n`);
    process.stdout.write(`${tableOf(report)}\n`);
    await stage.close();
    await rm(stage.dir, { recursive: true, force: true }); // after a failure the logs stay
  } finally {
    await stage.close();
  }
}

try {
  await run(readPlan(process.argv.slice(2)));
} catch (cause) {
  process.stderr.write(`bench: ${cause instanceof Error ? cause.message : String(cause)}\n`);
  process.exitCode = 1;
}
