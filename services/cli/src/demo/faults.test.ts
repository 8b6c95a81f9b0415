import { expect, test } from '@jest/globals';
import type { Kill } from './chaos.js';
import { compareRuns } from './faults.js';
import type { DemoReport } from './report.js';

const kill = (process: string): Kill => ({
  process,
  after: { scene: 0, share: 0.5 },
  ...{ delayMs: 1, atMs: 2 },
});
const percentiles = { p50: 1, p95: 2, p99: 3 };
const UNDISTURBED: DemoReport = {
  ...{ published: 3, purged: 1, delisted: ['a'], certificates: { issued: 1, verified: 1 } },
  members: { de: { released: 3, readable: 2 } },
  ...{ withheld: {}, withheldReasons: {}, keysRefused: {} },
  attacks: { forgedPurge: 'refused', replay: 'ignored', readPurged: 'refused' },
  attackDetails: {
    forgedPurge: { code: 'A', stateBefore: 'x', stateAfter: 'x' },
    replay: { code: 'B', stateBefore: 'x', stateAfter: 'x' },
    readPurged: { code: 'C', stateBefore: 'x', stateAfter: 'x' },
  },
  resurrected: 0,
  scenes: {},
  replay: { ledgerRecordsAdded: 0, receiptsAdded: 0, purgedSkipped: 1, stateChanged: [] },
  ...{ latencyMs: percentiles, purgeMs: percentiles },
  kafka: { source: 'java', brokers: ['127.0.0.1:1'] },
  restarts: { node: 0, broker: 0 },
  ...{ kills: [], durationMs: 1 },
};
const KILLED: DemoReport = {
  ...UNDISTURBED,
  restarts: { node: 1, broker: 1 },
  kills: [kill('node'), kill('broker')],
  ...{ durationMs: 9, kafka: { source: 'java', brokers: ['127.0.0.1:2'] } },
};

test.each<[name: string, report: DemoReport, fields: string[]]>([
  ['times, ports and restarts are not compared', KILLED, []],
  ['a figure', { ...KILLED, resurrected: 1 }, ['resurrected']],
  [
    'a figure of a member',
    { ...KILLED, members: { de: { released: 3, readable: 3 } } },
    ['members.de.readable'],
  ],
  ['a process that was not killed', { ...KILLED, kills: [kill('node')] }, ['kills.broker']],
  [
    'a process that did not come back',
    { ...KILLED, restarts: { node: 0, broker: 1 } },
    ['kills.node'],
  ],
])('%s', (_name, report, fields) => {
  expect(compareRuns(UNDISTURBED, report, 1).map(({ field }) => field)).toEqual(fields);
});
