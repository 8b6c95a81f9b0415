import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '@concordat/cli/config.js';
import type { DemoReport } from '@concordat/cli/demo/report.js';
import { type DemoOptions, runDemo } from '@concordat/cli/demo/run.js';
import { tellStory } from '@concordat/cli/demo/story.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';

export interface DemoRun {
  /** everything that the run writes lies in here, the broker's files too unless a broker is given */
  readonly dir: string;
  readonly report: DemoReport;
  dispose(): Promise<void>;
}

/** Runs the demo in a directory of its own. A run that fails says how far it came. */
export async function runDemoIn(
  options: Omit<DemoOptions, 'reportFile' | 'kafkaBrokers' | 'brokerWay' | 'killSeed'> & {
    readonly kafkaBrokers?: string;
    /** told as soon as the directory is there */
    readonly onDir?: (dir: string) => void;
  },
): Promise<DemoRun> {
  const { kafkaBrokers, onDir, ...rest } = options;
  const dir = await mkdtemp(join(tmpdir(), 'concordat-demo-'));
  onDir?.(dir);
  const told: string[] = [];
  const story = tellStory(systemClock, (text) => told.push(text));
  const reportFile = join(dir, 'report.json');
  const ports = { clock: systemClock, random: systemRandom, story };
  try {
    const { brokerWay } = readSettings(process.env);
    const report = await runDemo(
      { ...rest, reportFile, kafkaBrokers, brokerWay, killSeed: undefined },
      ports,
    );
    return { dir, report, dispose: () => rm(dir, { recursive: true, force: true }) };
  } catch (cause) {
    throw new Error(`the demo in ${dir} failed:\n${told.join('')}`, { cause });
  }
}
