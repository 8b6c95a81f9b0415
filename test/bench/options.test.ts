import { expect, test } from '@jest/globals';
import { PHASES, readPlan } from './options.js';

test('without options everything is measured, five times', () => {
  const { phases, rounds, bulk, growth } = readPlan([]);
  expect(phases).toEqual(PHASES);
  expect(rounds).toBe(5);
  expect(bulk.orders * bulk.idsPerOrder).toBe(100_000);
  expect(growth).toMatchObject({ few: 10_000, many: 200_000 });
});

test('a quick bench measures throughput only, unless asked for more', () => {
  expect(readPlan(['--quick']).phases).toEqual(['throughput']);
  expect(readPlan(['--quick', '--only=purge,bulk']).phases).toEqual(['purge', 'bulk']);
});

test('a smaller bench measures the same with less', () => {
  const { events, latency, bulk } = readPlan(['--scale=0.01']);
  expect({ events, latency, bulk }).toEqual({
    events: 200,
    latency: { seconds: 1, perSecond: 500 },
    bulk: { orders: 50, idsPerOrder: 20 },
  });
});

test.each([[['--only=speed']], [['--rounds=0']], [['--rounds=x']], [['--scale=2']], [['--fast']]])(
  '%j is refused',
  (args) => {
    expect(() => readPlan(args)).toThrow();
  },
);
