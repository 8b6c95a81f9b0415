import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findRunner } from '@concordat/cli/io/broker/find-broker.js';
import { readSettings } from '@concordat/cli/config.js';
import { casesOf } from './cases/all.js';
import { type FaultsPlan, readPlan } from './options.js';
import { type FailedRun, isGood, makeReport } from './report.js';
import { type RunResult, runOnce } from './run.js';

const RUN_MS_MAX = 600_000;

async function run(plan: FaultsPlan): Promise<boolean> {
  const { brokerWay = 'java' } = readSettings(process.env);
  const tell = (text: string): void => void process.stderr.write(`${text}\n`);
  const runner = await findRunner({ way: brokerWay, progress: tell });
  const state = join(dirname(plan.out), 'faults');
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stop.abort(new Error(`ended by ${signal}`)));
  }
  const results: RunResult[] = [];
  const failed: FailedRun[] = [];
  await mkdir(state, { recursive: true });
  for (let nth = 0; nth < plan.runs && !stop.signal.aborted; nth += 1) {
    const seed = plan.firstSeed + nth;
    tell(`run ${String(nth + 1)} of ${String(plan.runs)}, seed ${String(seed)}`);
    const dir = join(state, `seed-${String(seed)}`);
    const late = AbortSignal.any([stop.signal, AbortSignal.timeout(RUN_MS_MAX)]);
    try {
      const { events, stormMs, cases = casesOf(nth) } = plan;
      const options = { seed, events, stormMs, cases, dir, runner, tell };
      const result = await runOnce(options, late);
      results.push(result);
      if (isGood(makeReport([result], []))) await rm(dir, { recursive: true, force: true });
    } catch (cause) {
      const error = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
      failed.push({ seed, error });
      tell(`run with seed ${String(seed)} FAILED: ${error}`);
    }
    await writeFile(plan.out, `${JSON.stringify(makeReport(results, failed), undefined, 2)}\n`);
  }
  const report = makeReport(results, failed);
  const { findings, casesFailed, seeds, restarts, secondsOfRuns, ...figures } = report;
  process.stdout.write(`${JSON.stringify(figures, undefined, 2)}\n`);
  for (const text of [...findings, ...casesFailed]) process.stdout.write(`${text}\n`);
  const runs = `${String(seeds.length)} runs in ${String(secondsOfRuns.reduce((a, b) => a + b, 0))} s`;
  const starts = Object.values(restarts).reduce((all, n) => all + n, 0);
  process.stdout.write(
    `${runs}, services started again ${String(starts)} times: ${isGood(report) ? 'nothing lost, doubled or brought back' : 'SOMETHING IS WRONG'}; ${plan.out}\n`,
  );
  return isGood(report) && !stop.signal.aborted;
}

let code = 1;
try {
  code = (await run(readPlan(process.argv.slice(2)))) ? 0 : 1;
} catch (cause) {
  process.stderr.write(`faults: ${cause instanceof Error ? cause.message : String(cause)}\n`);
}
process.exit(code); // after a run that failed somebody may still wait for an answer
