import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { z } from 'zod';
import { repositoryPath } from '../io/home.js';
import { surroundings } from './options.js';
import type { World } from './world.js';

const packageShape = z.object({ version: z.string() });

export function addVersionCommand(program: Command, world: World): void {
  program
    .command('version')
    .description('the release of this command line and of Node.js')
    .action((_options: object, command: Command) => {
      const { print } = surroundings(world, command);
      const text = readFileSync(repositoryPath('package.json'), 'utf8');
      const { version } = packageShape.parse(JSON.parse(text));
      print.facts({ concordat: version, node: process.version });
    });
}
