import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import type { Command } from 'commander';
import { timeText } from '../domain/time-text.js';
import { DOORS, withClient } from '../io/session.js';
import {
  type MemberOptions,
  asMember,
  eventArgument,
  memberArgument,
  surroundings,
} from './options.js';
import type { World } from './world.js';

interface RequestOptions extends MemberOptions {
  readonly origin: MemberId;
  readonly to: MemberId;
  readonly purpose: string;
  readonly reason: string;
}

export function addOnwardCommands(event: Command, world: World): void {
  asMember(event.command('request-onward'), world)
    .description('ask the origin of an event that is held here to release it to a third member')
    .argument('<id>', 'an event', eventArgument)
    .requiredOption('--origin <id>', 'who published it', memberArgument)
    .requiredOption('--to <id>', 'who should have it too', memberArgument)
    .requiredOption('--purpose <name>', 'what it is for there')
    .requiredOption('--reason <text>', 'why; the origin keeps it, so name no content')
    .action(async (eventId: EventId, options: RequestOptions, command: Command) => {
      const { print, call } = surroundings(world, command);
      const { origin, to: recipient, purpose, reason } = options;
      const request = { origin, eventId, recipient, purpose, reason };
      await withClient(options, DOORS.operator, (node) => node.askOnward(request, call));
      print.facts({ event: eventId, origin, recipient, purpose, answer: 'ACCEPTED' });
      print.progress(`${origin} releases it to ${recipient} itself, unless ${recipient} has it`);
    });
  asMember(event.command('onward-requests'), world)
    .description('which own events other members asked to share on, and what they were answered')
    .action(async (options: MemberOptions, command: Command) => {
      const { print, call } = surroundings(world, command);
      const { requests } = await withClient(options, DOORS.operator, (node) =>
        node.listOnward({}, call),
      );
      print.list(
        requests.map(({ atMs, deleteByMs, ...rest }) => ({
          ...rest,
          at: timeText(atMs),
          deleteBy: deleteByMs === 0 ? '' : timeText(deleteByMs),
        })),
        {
          event: ({ eventId }) => eventId,
          holder: ({ holder }) => holder,
          to: ({ recipient }) => recipient,
          purpose: ({ purpose }) => purpose,
          at: ({ at }) => at,
          answer: ({ answer }) => answer,
          reason: ({ reason }) => reason,
        },
      );
    });
}
