import { appendFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asConcordatError } from '@concordat/common/domain/errors.js';
import type { Clock, Random } from '@concordat/common/domain/ports.js';
import type { BrokerWay } from '../domain/broker-way.js';
import type { Kill } from './chaos.js';
import { type Difference, differencesBetween } from './differences.js';
import { type DemoReport, lasting } from './report.js';
import { runDemo } from './run.js';
import { tellStory } from './story.js';

export interface FaultsOptions {
  readonly dataDir: string;
  readonly reportFile: string;
  /** the runs keep their state in here; it stays only when one of them differs */
  readonly stateDir: string;
  readonly brokerWay: BrokerWay | undefined;
  readonly runs: number;
  /** of the first run; each further run has the next one */
  readonly firstSeed: number;
  /** how often each process is killed in a run */
  readonly kills: number;
}

interface FaultsPorts {
  readonly clock: Clock;
  readonly random: Random;
  /** a line for people */
  readonly tell: (text: string) => void;
}

/** One run under faults, beside the undisturbed one. */
export interface FaultsRun {
  readonly seed: number;
  readonly isSame: boolean;
  readonly differences: readonly Difference[];
  /** why the run did not come to its end */
  readonly failed?: string;
  readonly kills: readonly Kill[];
  readonly restarts: Readonly<Record<string, number>>;
  readonly durationMs: number;
}

/** What `out/faults-demo.json` holds. */
export interface FaultsReport {
  readonly runs: readonly FaultsRun[];
  readonly same: number;
  readonly different: number;
  /** by process: kills over all runs */
  readonly kills: Readonly<Record<string, number>>;
  /** how the broker ran, `docker` or `java` */
  readonly kafka: string;
  /** the report of the undisturbed run, without what differs from run to run */
  readonly expected: Readonly<Record<string, unknown>>;
  readonly durationMs: number;
}

/** The demo once undisturbed, then once for every seed with kills, each time compared with the first. */
export async function runFaults(options: FaultsOptions, ports: FaultsPorts): Promise<FaultsReport> {
  const { clock, tell } = ports;
  const startMs = clock.monotonicMs();
  await rm(options.stateDir, { recursive: true, force: true });
  tell('undisturbed run');
  const undisturbed = await runIn('undisturbed', undefined, options, ports);
  tell(`undisturbed run: ${seconds(undisturbed.durationMs)}`);
  const brokerWay = undisturbed.kafka.source as BrokerWay;

  const runs: FaultsRun[] = [];
  for (let number = 1; number <= options.runs; number += 1) {
    const seed = options.firstSeed + number - 1;
    const run = await runOne(seed, undisturbed, { ...options, brokerWay }, ports);
    runs.push(run);
    for (const line of linesOf(run, `run ${String(number)} of ${String(options.runs)}`)) tell(line);
  }
  if (runs.every(({ isSame }) => isSame)) await rm(options.stateDir, { recursive: true });
  const same = runs.filter(({ isSame }) => isSame).length;
  const report: FaultsReport = {
    runs,
    same,
    different: runs.length - same,
    kills: countKills(runs, Object.keys(undisturbed.restarts)),
    kafka: brokerWay,
    expected: lasting(undisturbed),
    durationMs: Math.round(clock.monotonicMs() - startMs),
  };
  await writeFile(options.reportFile, `${JSON.stringify(report, undefined, 2)}\n`);
  return report;
}

async function runIn(
  name: string,
  killSeed: number | undefined,
  options: FaultsOptions,
  { clock, random }: FaultsPorts,
): Promise<DemoReport> {
  const { dataDir, brokerWay, kills } = options;
  const dir = join(options.stateDir, name);
  await mkdir(dir, { recursive: true });
  const story = tellStory(clock, (text) => appendFileSync(join(dir, 'story.txt'), text));
  const reportFile = join(dir, 'report.json');
  const about = { dataDir, reportFile, kafkaBrokers: undefined, brokerWay, killSeed, kills };
  return runDemo(about, { clock, random, story });
}

async function runOne(
  seed: number,
  undisturbed: DemoReport,
  options: FaultsOptions,
  ports: FaultsPorts,
): Promise<FaultsRun> {
  const name = `seed-${String(seed)}`;
  const startMs = ports.clock.monotonicMs();
  try {
    const report = await runIn(name, seed, options, ports);
    const { kills, restarts, durationMs } = report;
    const differences = compareRuns(undisturbed, report, options.kills);
    const isSame = differences.length === 0;
    if (isSame) await rm(join(options.stateDir, name), { recursive: true, force: true });
    return { seed, isSame, differences, kills, restarts, durationMs };
  } catch (cause) {
    const failed = asConcordatError(cause).message;
    const durationMs = Math.round(ports.clock.monotonicMs() - startMs);
    return { seed, isSame: false, differences: [], failed, kills: [], restarts: {}, durationMs };
  }
}

/**
 * What a run under kills reports otherwise than the undisturbed one. A process that was not killed, or did not come back, as often
 * as it should is a difference too: such a run shows less than it claims.
 */
export function compareRuns(
  undisturbed: DemoReport,
  report: DemoReport,
  kills: number,
): Difference[] {
  const missed = Object.keys(undisturbed.restarts).flatMap((name): Difference[] => {
    const killed = report.kills.filter(({ process }) => process === name).length;
    const came = Math.min(killed, report.restarts[name] ?? 0);
    return came < kills ? [{ field: `kills.${name}`, expected: kills, came }] : [];
  });
  return [...differencesBetween(lasting(undisturbed), lasting(report)), ...missed];
}

function countKills(
  runs: readonly FaultsRun[],
  processes: readonly string[],
): Readonly<Record<string, number>> {
  const all = runs.flatMap(({ kills }) => kills);
  return Object.fromEntries(
    processes.map((name) => [name, all.filter(({ process }) => process === name).length]),
  );
}

function linesOf(run: FaultsRun, number: string): string[] {
  const { seed, failed, kills, differences, durationMs } = run;
  const moments = kills.map(({ process, atMs }) => `${process} ${seconds(atMs)}`).join(', ');
  const verdict = run.isSame ? 'same report' : failed === undefined ? 'DIFFERENT' : 'FAILED';
  return [
    `${number}, seed ${String(seed)}: ${verdict} (${seconds(durationMs)}); killed ${moments || 'nobody'}`,
    ...(failed === undefined ? [] : [`  ${failed}`]),
    ...differences.map(
      ({ field, expected, came }) =>
        `  ${field}: expected ${JSON.stringify(expected)}, came ${JSON.stringify(came)}`,
    ),
  ];
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** The end for people: who was killed how often, and what came of it. */
export function faultsSummary(report: FaultsReport, reportFile: string): string {
  const rows = Object.entries(report.kills).map(
    ([name, times]) => `${name.padEnd(16)} ${String(times).padStart(5)}`,
  );
  const { runs, same, different, durationMs, kafka } = report;
  return [
    '',
    'process          kills',
    ...rows,
    '',
    `${String(runs.length)} runs with kills in ${seconds(durationMs)}, broker by ${kafka}: ${String(same)} same, ${String(different)} different`,
    different === 0
      ? 'Every run ended with the report of the undisturbed one.'
      : 'SOMETHING IS WRONG: the fields above differ from the undisturbed run; its files and those of the runs are kept.',
    `report: ${reportFile}`,
    '',
  ].join('\n');
}
