import type { Command } from 'commander';
import { maintainNode } from '../io/maintain-node.js';
import { memberArgument, onBroker, surroundings } from './options.js';
import { type StartOptions, environmentFor } from './service-settings.js';
import type { World } from './world.js';

const FILE = 'the backup; <file>.manifest.json stands beside it';

/** @param node the command `node` */
export function addBackupCommands(node: Command, world: World): void {
  const of = (name: 'backup' | 'restore', about: string): void => {
    onBroker(node.command(name).description(about), world)
      .argument('<file>', FILE)
      .option('--home <dir>', 'directory of the federation', world.settings.home)
      .option('--member <id>', 'for whom (CONCORDAT_MEMBER)', memberArgument, world.settings.member)
      .action(async (file: string, options: StartOptions, on: Command) => {
        const { print } = surroundings(world, on);
        const env = await environmentFor(world, 'node', options);
        print.facts(await maintainNode(name, file, env));
        if (name === 'restore') print.progress(NEXT);
      });
  };
  of(
    'backup',
    'copy the data of a node, running or stopped, into a new file; never vault or state',
  );
  of('restore', 'put back what a backup has and this node may still hold; the node must not run');
}

const NEXT =
  'start the node: it reads the purge ledgers up to their ends before anything can be read, and asks for the keys';
