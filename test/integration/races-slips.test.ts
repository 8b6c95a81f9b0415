import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { SimulatedDisks } from '../simulation/disk.js';
import { runRace } from '../simulation/race/race.js';
import { SLIPS } from '../simulation/race/slips.js';
import { type RaceTemplate, makeTemplate } from '../simulation/race/template.js';

/** The seldomest of these mistakes shows in one race of fifteen. */
const SEEDS_MAX = 50;

let template: RaceTemplate;
let disks: SimulatedDisks;
beforeAll(async () => {
  template = await makeTemplate();
  disks = new SimulatedDisks();
});
afterAll(async () => {
  disks.dispose();
  await template.dispose();
});

test.each(SLIPS)(
  `within ${String(SEEDS_MAX)} races it shows that $name`,
  async ({ caught, from, make }) => {
    const undo = make();
    try {
      let found: readonly string[] = [];
      for (let seed = from; seed < from + SEEDS_MAX && found.length === 0; seed += 1) {
        found = (await runRace(template, seed, disks)).violations;
      }
      expect(found.join('\n')).toMatch(caught);
    } finally {
      undo();
    }
  },
  60_000,
);
