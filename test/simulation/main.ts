import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { REPOSITORY } from '../support/repository.js';
import { coverageLines, domainCoverage } from './domain-lines/domain-coverage.js';
import { readOptions } from './run/options.js';
import { makeReport, neverReached } from './run/report.js';
import type { SeedResult } from './run/seed.js';
import { runSeeds } from './run/workers.js';

const PROGRESS_MS = 5_000;
const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function run(args: readonly string[]): Promise<boolean> {
  const options = readOptions(args);
  const { firstSeed, seeds, trace, out } = options;
  const startedMs = performance.now();
  const results: SeedResult[] = [];
  const v8Dir = options.coverage ? mkdtempSync(join(tmpdir(), 'concordat-v8-')) : undefined;
  const seconds = (): number => (performance.now() - startedMs) / 1_000;
  const progress = setInterval(() => {
    const bad = results.filter(({ violations }) => violations.length > 0).length;
    say(
      `${String(results.length)} of ${String(seeds)} seeds, ${seconds().toFixed(0)} s, ${String(bad)} violated`,
    );
  }, PROGRESS_MS);
  try {
    const wanted = Array.from({ length: seeds }, (_none, at) => firstSeed + at);
    const cpuSeconds = await runSeeds(wanted, { ...options, v8Dir }, (result) => {
      results.push(result);
      if (trace || result.violations.length > 0) process.stdout.write(`${tellOf(result)}\n`);
    });
    results.sort((a, b) => a.seed - b.seed);
    const report = makeReport(results, { seconds: seconds(), cpuSeconds });
    mkdirSync(dirname(out), { recursive: true });
    writeFileSync(out, `${JSON.stringify(report, undefined, 2)}\n`);
    if (v8Dir !== undefined) writeCoverage(v8Dir, out.replace(/(\.json)?$/, '-coverage.json'));
    const { violations, violated, events, virtualDays } = report;
    say(
      `${String(seeds)} seeds, ${String(events)} events, ${String(virtualDays)} virtual days: ` +
        `${String(violations)} violations in ${seconds().toFixed(0)} s, ${out}`,
    );
    if (violated.length > 0) say(`violated: ${violated.map(({ seed }) => seed).join(', ')}`);
    const missed = neverReached(report);
    for (const name of missed) say(`never reached: ${name}`);
    return violations === 0 && missed.length === 0;
  } finally {
    clearInterval(progress);
    if (v8Dir !== undefined) rmSync(v8Dir, { recursive: true });
  }
}

/** Lines of the decisions that these seeds have run; those that they have not, file by file, are printed. */
function writeCoverage(v8Dir: string, file: string): void {
  const coverage = domainCoverage(REPOSITORY, v8Dir);
  writeFileSync(file, `${JSON.stringify(coverage, undefined, 2)}\n`);
  for (const line of coverageLines(coverage)) say(line);
}

/** All that is needed to understand it, and to run it again. */
function tellOf({ seed, steps, violations, trace }: SeedResult): string {
  const again = `make simulate SEED=${String(seed)} TRACE=1`;
  return [
    ...trace.map((line) => `  ${line}`),
    `seed ${String(seed)}, step ${String(steps)}, again with ${again}`,
    ...violations.map((text) => `VIOLATION ${text}`),
  ].join('\n');
}

try {
  process.exitCode = (await run(process.argv.slice(2))) ? 0 : 1;
} catch (cause) {
  say(`simulate: ${cause instanceof Error ? cause.message : String(cause)}`);
  process.exitCode = 1;
}
