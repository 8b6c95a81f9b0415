import { cpus, release, totalmem } from 'node:os';
import { EVENT_IN_WORDS } from './events.js';
import type { BenchPlan } from './options.js';
import type { PhaseResult } from './result.js';
import type { Stage } from './stage.js';

/** `bench.json`: the figures by name, then what they are of, then every single measurement. */
export type BenchReport = Readonly<Record<string, unknown>> & {
  readonly rssMiB: Readonly<Record<string, number>>;
};

const DIGITS = 4;

/** Four significant digits, of numbers anywhere inside. */
function rounded(value: unknown): unknown {
  if (typeof value === 'number') return Number(value.toPrecision(DIGITS));
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, rounded(one)]));
}

/** @throws RangeError when a figure is not a finite number: then nothing was measured */
export async function makeReport(
  stage: Stage,
  plan: BenchPlan,
  results: readonly PhaseResult[],
): Promise<BenchReport> {
  const figures = Object.assign({}, ...results.map((one) => one.figures)) as object;
  for (const [name, value] of Object.entries(figures)) {
    if (!Number.isFinite(value)) throw new RangeError(`${name}: expected a number, came ${value}`);
  }
  const { phases, profile: _1, out: _2, ...sizes } = plan;
  return {
    ...(rounded(figures) as object),
    ...(rounded(Object.assign({}, ...results.map((one) => one.byProcess))) as object),
    rssMiB: rounded(await stage.peakRssMiB()) as Record<string, number>,
    event: EVENT_IN_WORDS,
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      memoryMiB: Math.round(totalmem() / 2 ** 20),
      kernel: release(),
      node: process.version,
      kafka: stage.brokerSource,
    },
    ...{ phases, sizes },
    measurements: rounded(Object.assign({}, ...results.map((one) => one.measurements))),
  };
}
