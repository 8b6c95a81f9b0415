import type { Command } from 'commander';
import { DOORS, withClient } from '../io/session.js';
import { type MemberOptions, asMember, surroundings } from './options.js';
import type { World } from './world.js';

/** Large stores take their time: what is left of a generation is wrapped anew first. */
const PATIENCE_MS = 600_000;

/** @param node the command `node` */
export function addEraseMediaCommand(node: Command, world: World): void {
  asMember(node.command('erase-media'), world)
    .description(
      'destroy now, not within the hour, the keys under which purged keys were wrapped, and tell the origins',
    )
    .action(async (options: MemberOptions, command: Command) => {
      const { print, patienceMs } = surroundings(world, command);
      const timeoutMs = patienceMs ?? PATIENCE_MS;
      print.facts(
        await withClient(options, DOORS.operator, (client) => client.eraseMedia({}, { timeoutMs })),
      );
    });
}
