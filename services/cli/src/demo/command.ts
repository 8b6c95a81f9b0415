import { resolve } from 'node:path';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { Command, InvalidArgumentError } from 'commander';
import type { Settings } from '../config.js';
import { runDemo } from './run.js';
import { tellStory } from './story.js';
import { isProven, summary } from './summary.js';

interface RunFlags {
  readonly data: string;
  readonly report: string;
  readonly killSeed?: number;
}

function seed(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a whole number of at most 9 digits');
}

/** The settings KAFKA_BROKERS and BROKER. */
type DemoSettings = Pick<Settings, 'brokers' | 'brokerWay'>;

export function demoCommand({ brokers, brokerWay }: DemoSettings): Command {
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
  return demo;
}
