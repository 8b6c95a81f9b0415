import type { EventId } from '@concordat/common/domain/ids.js';
import { type Command, Option } from 'commander';
import { alreadyGone } from '../domain/amendment.js';
import { DOORS, withClient } from '../io/session.js';
import {
  type MemberOptions,
  asMember,
  durationArgument,
  eventsArgument,
  sameMember,
  surroundings,
} from './options.js';
import { placeOrder } from './place-order.js';
import { watchToEnd } from './purge-status.js';
import type { World } from './world.js';

interface RetractOptions extends MemberOptions {
  readonly deadline: number;
}

const DAY_MS = 86_400_000;

export function addRetractCommand(event: Command, world: World): void {
  asMember(event.command('retract'), world)
    .description('take own events back as wrong (reason error), and wait for every holder')
    .argument('<events...>', 'own events', eventsArgument)
    .addOption(
      new Option('--deadline <duration>', 'until when every holder must have answered')
        .argParser(durationArgument)
        .default(DAY_MS, '24h'),
    )
    .addHelpText('after', '\nCtrl-C stops the waiting, not the order.')
    .action(async (ids: readonly EventId[], options: RetractOptions, command: Command) =>
      retract(world, ids, options, command),
    );
}

async function retract(
  world: World,
  ids: readonly EventId[],
  options: RetractOptions,
  command: Command,
): Promise<void> {
  const around = surroundings(world, command);
  const { print, call } = around;
  const { member: origin } = options;
  await withClient(options, DOORS.operator, async (node) => {
    for (const eventId of ids) {
      const { state } = await node.show({ origin, eventId }, call);
      if (state !== 'PUBLISHED') throw alreadyGone(eventId);
    }
  });
  const orderId = await placeOrder(world, { ids, reason: 'error' }, options, around);
  print.progress(`ordered as ${orderId}; no key leaves any more, and every holder has to answer`);
  const end = await watchToEnd(world, orderId, options, around);
  if (end !== 'closed') return;
  print.progress(`next  concordat purge certificate ${orderId}${sameMember(options, world)}`);
}
