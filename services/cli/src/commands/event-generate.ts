import { SYNTHETIC_NAMES, generate } from '@concordat/common/domain/synthetic/generate.js';
import { type Command, Option } from 'commander';
import { surroundings, wholeNumber } from './options.js';
import type { World } from './world.js';

interface GenerateOptions {
  readonly category: string;
  readonly seed: string;
  readonly count: number;
  readonly first: number;
  readonly bytes?: number;
}

export function addGenerateCommand(event: Command, world: World): void {
  event
    .command('generate')
    .description('made-up content of nobody, a line each, for publish --lines; the same for a seed')
    .addOption(
      new Option('--category <name>', 'what to make, such as person-alert.missing')
        .choices(SYNTHETIC_NAMES)
        .makeOptionMandatory(),
    )
    .option('--seed <text>', 'another seed, other events', 'synthetic')
    .option('--count <n>', 'how many', wholeNumber(1, 1_000_000), 1)
    .option('--first <n>', 'number of the first', wholeNumber(0, 999_999_999), 0)
    .option('--bytes <n>', 'make each at least so long', wholeNumber(1, 65_536))
    .action((options: GenerateOptions, command: Command) => {
      const { print } = surroundings(world, command);
      const { category, seed, count, first, bytes = 0 } = options;
      for (let index = first; index < first + count; index += 1) {
        print.raw(`${JSON.stringify(generate(category, seed, index, { bytes }).content)}\n`);
      }
    });
}
