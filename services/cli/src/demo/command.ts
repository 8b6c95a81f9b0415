import { relative, resolve } from 'node:path';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { Command, InvalidArgumentError } from 'commander';
import { wholeNumber } from '../commands/options.js';
import type { Settings } from '../config.js';
import { addressesOf } from '../io/broker/find-broker.js';
import { faultsSummary, runFaults } from './faults.js';
import { runDemo } from './run.js';
import { SCENES } from './scenes/all.js';
import { tellStory } from './story.js';
import { isProven, summary } from './summary.js';

/** A supervisor gives up a process that dies more often than that, and a few times more. */
const KILLS_MAX = 10;

/** The settings KAFKA_BROKERS and BROKER. */
type DemoSettings = Pick<Settings, 'brokers' | 'brokerWay'>;

interface RunFlags {
  readonly data: string;
  readonly report: string;
  readonly killSeed?: number;
}

function seed(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number of at most 9 digits');
}

export function demoCommand(settings: DemoSettings): Command {
  const { brokers, brokerWay } = settings;
  const demo = new Command('demo').description('the main job on a folder of UN lists');
  demo
    .command('run')
    .description('share the lists, take back what left them, prove it, attack it')
    .requiredOption('--data <dir>', 'folder of UN list XML files, plain or .gz')
    .requiredOption('--report <file>', 'where to write the report; all state goes beside it')
    .option('--kill-seed <n>', 'kill each process once, at moments that follow from n', seed)
    .action(async (flags: RunFlags) => {
      const report = await runDemo(
        {
          dataDir: resolve(flags.data),
          reportFile: resolve(flags.report),
          kafkaBrokers: brokers,
          brokerWay,
          killSeed: flags.killSeed,
          scenes: SCENES,
        },
        {
          clock: systemClock,
          random: systemRandom,
          story: tellStory(systemClock, (text) => process.stderr.write(text)),
        },
      );
      process.stdout.write(summary(report, resolve(flags.report), process.cwd()));
      if (!isProven(report)) process.exitCode = 1;
    });
  addFaultsCommand(demo, settings);
  return demo;
}

interface FaultsFlags {
  readonly data: string;
  readonly report: string;
  readonly runs: number;
  readonly seed: number;
  readonly kills: number;
}

function addFaultsCommand(demo: Command, { brokers, brokerWay }: DemoSettings): void {
  demo
    .command('faults')
    .description('the same under kills, seed after seed; every report must be the same')
    .requiredOption('--data <dir>', 'folder of UN list XML files, plain or .gz')
    .requiredOption(
      '--report <file>',
      'where to write the report; the state of the runs goes to <file>.runs',
    )
    .option('--runs <n>', 'how many runs with kills', wholeNumber(1, 1_000), 20)
    .option('--seed <n>', 'seed of the first run; the next has the next', seed, 1)
    .option('--kills <n>', 'kills of each process in a run', wholeNumber(1, KILLS_MAX), 1)
    .action(async ({ data, report, ...flags }: FaultsFlags) => {
      if (addressesOf(brokers).length > 0) {
        const text = 'KAFKA_BROKERS: expected nothing, since the broker is killed too; unset it';
        throw new ConcordatError('CONFIG_INVALID', text);
      }
      const reportFile = resolve(report);
      const stateDir = `${reportFile}.runs`;
      const tell = (text: string): void => {
        process.stderr.write(`${text}\n`);
      };
      const about = { dataDir: resolve(data), reportFile, stateDir, brokerWay };
      const ports = { clock: systemClock, random: systemRandom, tell };
      const found = await runFaults(
        { ...about, runs: flags.runs, firstSeed: flags.seed, kills: flags.kills },
        ports,
      );
      process.stdout.write(faultsSummary(found, relative(process.cwd(), reportFile)));
      if (found.different > 0) process.exitCode = 1;
    });
}
