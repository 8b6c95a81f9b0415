import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fillStartFiles, runSeed } from '../simulation/run/seed.js';
import { SWITCHED_OFF } from '../simulation/slips/switched-off.js';
import { type WorldTemplate, makeTemplate } from '../simulation/world/template.js';

/** Of a hundred bursts. */
const ALWAYS = 100;
const SEEDS_MAX = 200;

let template: WorldTemplate;
beforeAll(async () => {
  template = makeTemplate();
  await fillStartFiles(template);
}, 60_000);
afterAll(() => template.disks.dispose());

test('a seed tells the same story each time, to the last line of its trace', async () => {
  const first = await runSeed(template, 2);
  expect(first.violations).toEqual([]);
  expect(await runSeed(template, 2)).toEqual(first);
}, 60_000);

test.each(SWITCHED_OFF)(
  'within 200 seeds the simulation fails without: $name',
  async ({ caught, faults, off }) => {
    const on = off();
    try {
      let found: readonly string[] = [];
      const plan = { witnessesOf: () => [], faults: faults.map((one) => [one, ALWAYS] as const) };
      for (let seed = 1; seed <= SEEDS_MAX && found.length === 0; seed += 1) {
        found = (await runSeed(template, seed, plan)).violations;
      }
      expect(found.join('\n')).toMatch(caught);
    } finally {
      on();
    }
  },
  120_000,
);
