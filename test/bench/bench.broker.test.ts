import { execFile } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { sharedBrokers } from '../support/broker.js';

const MAIN = fileURLToPath(new URL('./dist/main.js', import.meta.url));
const SERVICES = ['origin-node', 'consent', 'revocation', 'recipient-node'];
const run = promisify(execFile);

test('a small bench measures ours beside the reference, and cleans up', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'concordat-bench-'));
  const out = join(dir, 'bench.json');
  const sizes = ['--scale=0.01', '--rounds=1', `--out=${out}`];
  const { stdout } = await run(process.execPath, [MAIN, '--only=throughput,purge', ...sizes], {
    env: { PATH: process.env['PATH'], KAFKA_BROKERS: sharedBrokers().join(',') },
  });
  const report = JSON.parse(await readFile(out, 'utf8'));
  const { eventsPerSecond, rawEventsPerSecond, ratio, purgeP99Ms } = report;
  for (const figure of [eventsPerSecond, rawEventsPerSecond, purgeP99Ms]) {
    expect(figure).toBeGreaterThan(0);
  }
  expect(ratio).toBeCloseTo(eventsPerSecond / rawEventsPerSecond, 2);
  expect(report.ratioToTuned).toBeCloseTo(eventsPerSecond / report.rawTunedEventsPerSecond, 2);
  for (const size of [report.rawSendSize, report.rawTunedSendSize]) {
    expect([50, 250, 500]).toContain(size);
  }
  for (const service of SERVICES) {
    expect(report.rssMiB[service]).toBeGreaterThan(20);
    expect(report.cpuMsPerEvent[service]).toBeGreaterThan(0);
  }
  expect(report.measurements.eventsPerSecond.runs).toHaveLength(1);
  expect(report.event).toContain('1024 bytes');
  expect(stdout).toMatch(/^events\/s until readable +\d/m);
  expect(await readdir(join(dir, 'bench'))).toEqual([]);
  await rm(dir, { recursive: true });
});
