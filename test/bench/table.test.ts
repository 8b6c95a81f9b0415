import { expect, test } from '@jest/globals';
import { tableOf } from './table.js';

test('the table shows what was measured, and whether each limit is met', () => {
  const table = tableOf({
    ...{ ratio: 0.5, eventsPerSecond: 7_000, rawEventsPerSecond: 14_000 },
    ...{ ratioToTuned: 0.25, rawTunedEventsPerSecond: 28_000, purgeP99Ms: 1_500 },
    cpuMsPerEvent: { consent: 0.125 },
    rssMiB: { consent: 301, publisher: 900 },
  });
  expect(table.split('\n').map((line) => line.replaceAll(/ {2,}/g, ' | '))).toEqual([
    ' | ours | reference | ratio',
    'events/s until readable | 7000 | 14000 | 0.5 | at least 0.4: met',
    'the same, against the reference tuned | 7000 | 28000 | 0.25',
    'p99 ms from order to receipt | 1500 | at most 1000: MISSED',
    'CPU ms/event, consent | 0.125',
    'MiB, consent | 301 | at most 300: MISSED',
    'MiB, publisher | 900',
  ]);
});
