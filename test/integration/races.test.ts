import { describe, expect, test } from '@jest/globals';
import { BRANCHES, type Counts, addCounts, noCounts } from '../simulation/race/branches.js';
import type { RaceResult } from '../simulation/race/race.js';
import { useRaces } from '../simulation/race/use-races.js';

/** `RACES=10000` is the full size, `RACE_SEED=7 RACES=1` runs one again. */
const RACES = Number(process.env['RACES'] ?? 150);
const FIRST_SEED = Number(process.env['RACE_SEED'] ?? 1);
const FULL_SIZE = 10_000;
/** of a race that failed */
const TRACE_LINES = 80;

const race = useRaces();

/** All that is needed to run it again and to understand it. */
function storyOf({ seed, violations, trace }: RaceResult): string {
  const again = `RACE_SEED=${String(seed)} RACES=1`;
  return [
    `seed ${String(seed)}, again with ${again}:`,
    ...violations,
    ...trace.slice(-TRACE_LINES),
  ].join('\n');
}

function figures(counts: Counts): string {
  return [...counts].map(([branch, count]) => `${String(count).padStart(7)} ${branch}`).join('\n');
}

describe('releases, readings, purges and crashes in any order', () => {
  test(
    'leave no holder outside of the seal record, nothing purged readable, and no receipt before its deletion',
    async () => {
      const counts = noCounts();
      for (let seed = FIRST_SEED; seed < FIRST_SEED + RACES; seed += 1) {
        const result = await race(seed);
        addCounts(counts, result.branches);
        if (result.violations.length > 0) throw new Error(storyOf(result));
      }
      if (process.env['RACES'] !== undefined) process.stderr.write(`${figures(counts)}\n`);
      if (RACES < FULL_SIZE) return;
      expect(BRANCHES.filter((branch) => counts.get(branch) === 0)).toEqual([]);
    },
    Math.max(60_000, RACES * 2_000),
  );

  test('are the same again from the same seed', async () => {
    for (const seed of [1, 2, 3]) expect(await race(seed)).toEqual(await race(seed));
  });
});
