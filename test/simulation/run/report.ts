import { BRANCHES, SEEDS_FOR_ALL } from './branches.js';
import type { SeedResult } from './seed.js';

/** `out/simulate.json`: sums over all seeds. */
export interface Report {
  readonly seeds: number;
  readonly firstSeed: number;
  readonly events: number;
  readonly eventsMin: number;
  readonly orders: number;
  readonly virtualDays: number;
  readonly virtualDaysMin: number;
  readonly steps: number;
  readonly ed25519Seeds: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly violations: number;
  readonly violated: readonly { readonly seed: number; readonly what: readonly string[] }[];
  readonly rareBranches: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

export function makeReport(
  results: readonly SeedResult[],
  took: { readonly seconds: number; readonly cpuSeconds: number },
): Report {
  const sum = (of: (one: SeedResult) => number): number =>
    results.reduce((total, one) => total + of(one), 0);
  const least = (of: (one: SeedResult) => number): number => Math.min(...results.map(of));
  const branches = counted(results.map((one) => one.branches));
  return {
    ...{ seeds: results.length, firstSeed: least(({ seed }) => seed) },
    ...{ events: sum(({ events }) => events), eventsMin: least(({ events }) => events) },
    orders: sum(({ orders }) => orders),
    virtualDays: round(sum(({ virtualDays }) => virtualDays)),
    virtualDaysMin: round(least(({ virtualDays }) => virtualDays)),
    steps: sum(({ steps }) => steps),
    ed25519Seeds: results.filter(({ ed25519 }) => ed25519).length,
    faults: counted(results.map((one) => one.faults)),
    violations: sum(({ violations }) => violations.length),
    violated: results
      .filter(({ violations }) => violations.length > 0)
      .map(({ seed, violations }) => ({ seed, what: violations })),
    rareBranches: Object.fromEntries(BRANCHES.map((name) => [name, branches[name] ?? 0])),
    ...{ seconds: round(took.seconds), cpuSeconds: round(took.cpuSeconds) },
  };
}

/** Branches that nothing reached, if there were seeds enough to say so. */
export function neverReached({ seeds, rareBranches }: Report): string[] {
  if (seeds < SEEDS_FOR_ALL) return [];
  return Object.keys(rareBranches).filter((name) => rareBranches[name] === 0);
}

function counted(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const one of all) {
    for (const [name, count] of Object.entries(one)) counts[name] = (counts[name] ?? 0) + count;
  }
  return counts;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
