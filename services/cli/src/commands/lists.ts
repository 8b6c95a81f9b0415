import type { Command } from 'commander';
import { timeText } from '../domain/time-text.js';
import { DOORS, withClient } from '../io/session.js';
import { type MemberOptions, asMember, surroundings } from './options.js';
import type { World } from './world.js';

export function addListCommands(program: Command, world: World): void {
  const reading = program.command('reading').description('who read what');
  asMember(reading.command('list'), world)
    .description('every reading and every attempt at this node, the newest first; no content')
    .action(async (options: MemberOptions, command: Command) => readings(world, options, command));
}

async function readings(world: World, options: MemberOptions, command: Command): Promise<void> {
  const { print, call } = surroundings(world, command);
  const found = await withClient(options, DOORS.operator, (node) => node.listReadings({}, call));
  print.list(
    found.readings.map(({ atMs, ...reading }) => ({ at: timeText(atMs), ...reading })),
    {
      at: ({ at }) => at,
      origin: ({ origin }) => origin,
      event: ({ eventId }) => eventId,
      purpose: ({ purpose }) => purpose,
      case: ({ caseId }) => caseId,
      outcome: ({ outcome }) => outcome,
      caller: ({ caller }) => caller,
    },
  );
}
