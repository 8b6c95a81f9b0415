import { expect, test } from '@jest/globals';
import { systemClock } from '@concordat/common/io/system-ports.js';
import { type Chaos, planChaos } from './chaos.js';

const clock = { ...systemClock, sleep: () => Promise.resolve() };
const NAMES = ['node', 'consent', 'broker'];

function plan(seed: number, times: number) {
  const struck: string[] = [];
  const underWay = new Set<string>();
  let overlaps = 0;
  const victims = NAMES.map((name) => ({
    name,
    async kill() {
      if (underWay.has(name)) overlaps += 1;
      underWay.add(name);
      await new Promise(setImmediate);
      underWay.delete(name);
      struck.push(name);
    },
  }));
  const options = { seed, times, scenes: 3, tell: () => undefined };
  const chaos: Chaos = planChaos(clock, victims, {
    ...options,
    onFailure: (cause) => {
      throw cause;
    },
  });
  return { chaos, struck, overlaps: () => overlaps };
}

/** Step by step through all scenes. */
async function play({ chaos }: { readonly chaos: Chaos }) {
  for (const scene of [0, 1, 2]) {
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
      chaos.reached({ scene, share });
      await new Promise(setImmediate);
    }
  }
  await chaos.over();
  return chaos.kills.map(({ process, after, delayMs }) => ({ process, after, delayMs }));
}

test('every victim is killed as often as asked, one kill after the other', async () => {
  const run = plan(7, 4);
  await play(run);
  expect([...run.struck].sort()).toEqual(NAMES.flatMap((name) => [name, name, name, name]).sort());
  expect(run.overlaps()).toBe(0);
});

test('the moments follow from the seed, and another seed has others', async () => {
  const [one, again, other] = [
    await play(plan(1, 2)),
    await play(plan(1, 2)),
    await play(plan(2, 2)),
  ];
  expect(again).toEqual(one);
  expect(other).not.toEqual(one);
});

test('nobody is killed before the step that the kill hangs on', () => {
  const { chaos, struck } = plan(1, 1);
  chaos.reached({ scene: -1, share: 1 });
  expect(struck).toEqual([]);
});

test('whose moment never came dies at the end', async () => {
  const { chaos, struck } = plan(3, 1);
  await chaos.over();
  expect([...struck].sort()).toEqual([...NAMES].sort());
  expect(chaos.kills).toHaveLength(3);
});
