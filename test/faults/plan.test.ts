import { expect, test } from '@jest/globals';
import { GROUPS, groupOf, planStorm } from './plan.js';

const STORM_MS = 25_000;
const SEEDS = Array.from({ length: 20 }, (_, at) => at + 1);

test('a seed has one plan, and another seed another', () => {
  expect(planStorm(7, STORM_MS)).toEqual(planStorm(7, STORM_MS));
  expect(planStorm(7, STORM_MS)).not.toEqual(planStorm(8, STORM_MS));
});

test('twenty seeds have every fault, and each has some of every group', () => {
  const plans = SEEDS.map((seed) => planStorm(seed, STORM_MS).map(({ kind }) => kind));
  expect(new Set(plans.flat())).toEqual(new Set(Object.values(GROUPS).flat()));
  for (const kinds of plans) {
    expect(new Set(kinds.map(groupOf))).toEqual(new Set(Object.keys(GROUPS)));
  }
});

test('the faults of a group do not overlap, so that never two brokers are struck at once', () => {
  for (const seed of SEEDS) {
    const until = new Map<string, number>();
    for (const { kind, atMs, lastsMs } of planStorm(seed, STORM_MS)) {
      expect(atMs).toBeGreaterThan(until.get(groupOf(kind)) ?? 0);
      until.set(groupOf(kind), atMs + lastsMs);
    }
  }
});
