import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '@concordat/cli/config.js';
import { seededRandom } from '@concordat/cli/demo/chaos.js';
import { runFaults } from '@concordat/cli/demo/faults.js';
import { lasting } from '@concordat/cli/demo/report.js';
import type { RunningDemo } from '@concordat/cli/demo/run.js';
import { type Look, lookAround } from '@concordat/cli/demo/settle.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type CrashPlan, type Moment, makeCrashPoints } from '../support/crash-points.js';
import { CUT_LISTS, CUT_REPORT } from '../support/cut-report.js';
import { runDemoIn } from '../support/demo-run.js';
import { type PatchedServices, copyServices } from '../support/patched-services.js';

/**
 * So many commits and sends every run over the cut has, however its batches fall; nl gets no purge and sends nothing, and
 * what de publishes it publishes in a scene that is not played here.
 */
const MOMENTS: Readonly<Record<string, Readonly<Record<Moment, number>>>> = {
  'un-node': { commit: 40, send: 6 },
  'un-consent': { commit: 3, send: 6 },
  'un-revocation': { commit: 30, send: 4 },
  'de-node': { commit: 18, send: 2 },
  'de-consent': { commit: 0, send: 0 },
  'de-revocation': { commit: 0, send: 0 },
  'fr-node': { commit: 18, send: 2 },
  'nl-node': { commit: 8, send: 0 },
};
const DEATHS: Readonly<Record<Moment, number>> = { commit: 3, send: 2 };

const KILLS = { runs: 1, firstSeed: 5, kills: 2 };
const CRASH_SEED = 1;

let services: PatchedServices;
beforeAll(async () => {
  services = await copyServices();
});
afterAll(() => services.dispose());

test('every process and the broker are killed twice, and the report stays the same', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'concordat-faults-'));
  const places = { reportFile: join(dir, 'faults.json'), stateDir: join(dir, 'faults') };
  const about = { dataDir: CUT_LISTS, ...readSettings(process.env), ...KILLS };
  const ports = { clock: systemClock, random: systemRandom, tell: () => undefined };
  const report = await runFaults({ ...about, ...places }, ports);
  expect(report.expected).toEqual(CUT_REPORT);
  expect(report.runs.map(({ differences, failed }) => [differences, failed])).toEqual([
    [[], undefined],
  ]);
  expect(Object.keys(report.kills).sort()).toEqual([...Object.keys(MOMENTS), 'broker'].sort());
  expect(new Set(Object.values(report.kills))).toEqual(new Set([KILLS.kills]));
  expect(JSON.parse(await readFile(places.reportFile, 'utf8'))).toEqual(report);
  await rm(dir, { recursive: true });
});

// D1, D2 and D32 of the reliability reference, wherever they may fall
test('processes die right after commits and sends, and the report stays the same', async () => {
  const plan = crashPlan(CRASH_SEED);
  const points = await makeCrashPoints(plan);
  let duplicates = 0;
  const visit = async ({ clients }: RunningDemo): Promise<void> => {
    duplicates = duplicatesSeen(await lookAround(clients));
  };
  const run = await services.during(points.patches, () =>
    runDemoIn({ dataDir: CUT_LISTS, servicesDir: services.dir, visit }),
  );
  await Promise.all([run.dispose(), points.dispose()]);
  expect(lasting(run.report)).toEqual(CUT_REPORT);
  for (const [name, { commit, send }] of Object.entries(plan)) {
    expect(run.report.restarts[name]).toBeGreaterThanOrEqual(commit.length + send.length);
  }
  const resent = Object.values(plan).reduce((sum, { send }) => sum + send.length, 0);
  const replayedByAttack = 1;
  expect(duplicates - replayedByAttack).toBeGreaterThanOrEqual(resent);
});

/** Records that somebody had already, and passed over. */
function duplicatesSeen({ consent, orders, recipients }: Look): number {
  return [consent, orders, ...recipients.values()]
    .flatMap(({ counters }) => Object.entries(counters))
    .filter(([name]) => name.includes('duplicate'))
    .reduce((sum, [, n]) => sum + n, 0);
}

/** Up to three commits and two sends of each process. */
function crashPlan(seed: number): CrashPlan {
  const random = seededRandom(seed);
  const draw = (moment: Moment, among: number): number[] => {
    const drawn = Array.from({ length: DEATHS[moment] }, () => 1 + Math.floor(random() * among));
    return among === 0 ? [] : [...new Set(drawn)];
  };
  return Object.fromEntries(
    Object.entries(MOMENTS).map(([name, { commit, send }]) => [
      name,
      { commit: draw('commit', commit), send: draw('send', send) },
    ]),
  );
}
