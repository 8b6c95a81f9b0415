import { type Counts, countOf } from './checker/findings.js';
import type { RunResult } from './run.js';

/** A run that did not come to its end. */
export interface FailedRun {
  readonly seed: number;
  readonly error: string;
}

/** What `out/faults.json` holds. */
export interface FaultsReport extends Counts {
  readonly runs: number;
  readonly seeds: readonly number[];
  readonly acknowledged: number;
  readonly orders: number;
  /** attempts to read an event */
  readonly readings: number;
  /** by kind: how often it struck */
  readonly faults: Readonly<Record<string, number>>;
  /** by case: how often it went as it should */
  readonly cases: Readonly<Record<string, number>>;
  readonly casesFailed: readonly string[];
  readonly failedRuns: readonly FailedRun[];
  /** by process: how often it was started again */
  readonly restarts: Readonly<Record<string, number>>;
  /** the first findings in words */
  readonly findings: readonly string[];
  readonly secondsOfRuns: readonly number[];
}

const FINDINGS_SHOWN = 50;

function sum(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const total: Record<string, number> = {};
  for (const one of all) {
    for (const [name, n] of Object.entries(one)) total[name] = (total[name] ?? 0) + n;
  }
  return total;
}

export function makeReport(
  results: readonly RunResult[],
  failedRuns: readonly FailedRun[],
): FaultsReport {
  const findings = results.flatMap((one) => one.findings.map((found) => ({ ...found, ...one })));
  const cases = results.flatMap(({ seed, cases: of }) =>
    Object.entries(of).map(([name, outcome]) => ({ seed, name, outcome })),
  );
  return {
    runs: results.length + failedRuns.length,
    seeds: [...results, ...failedRuns].map(({ seed }) => seed).sort((a, b) => a - b),
    acknowledged: results.reduce((all, { acknowledged }) => all + acknowledged, 0),
    orders: results.reduce((all, { orders }) => all + orders, 0),
    readings: results.reduce((all, { readings }) => all + readings, 0),
    ...countOf(findings),
    faults: sum(results.map(({ faults }) => faults)),
    cases: sum(cases.map(({ name, outcome }) => ({ [name]: outcome === 'ok' ? 1 : 0 }))),
    casesFailed: cases
      .filter(({ outcome }) => outcome !== 'ok')
      .map(({ seed, name, outcome }) => `seed ${String(seed)}, ${name}: ${outcome}`),
    failedRuns,
    restarts: sum(results.map(({ restarts }) => restarts)),
    findings: findings
      .slice(0, FINDINGS_SHOWN)
      .map(({ seed, anomaly, text }) => `seed ${String(seed)}, ${anomaly}: ${text}`),
    secondsOfRuns: results.map(({ durationMs }) => Math.round(durationMs / 1_000)),
  };
}

/** Is there nothing that must not be? */
export function isGood({ findings, casesFailed, failedRuns }: FaultsReport): boolean {
  return findings.length + casesFailed.length + failedRuns.length === 0;
}
