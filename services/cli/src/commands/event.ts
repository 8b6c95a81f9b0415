import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import { isOnItsWay, untilThere } from '../io/until-there.js';
import type { Command } from 'commander';
import { handlingText, openedLines, openedView } from '../domain/opened-event.js';
import { timeText } from '../domain/time-text.js';
import { DOORS, withClient } from '../io/session.js';
import { addGenerateCommand } from './event-generate.js';
import { addAmendCommand } from './event-amend.js';
import { addOnwardCommands } from './event-onward.js';
import { addPublishCommand } from './event-publish.js';
import { addRetractCommand } from './event-retract.js';
import {
  type MemberOptions,
  asMember,
  eventArgument,
  memberArgument,
  surroundings,
  withWait,
} from './options.js';
import type { World } from './world.js';

interface OriginOptions extends MemberOptions {
  readonly origin: MemberId;
}
interface OpenOptions extends OriginOptions {
  readonly purpose: string;
  readonly case: string;
  readonly wait?: number;
}

export function addEventCommands(program: Command, world: World): void {
  const event = program
    .command('event')
    .description('events: publish, correct, take back, look up, read');
  addPublishCommand(event, world);
  addGenerateCommand(event, world);
  addAmendCommand(event, world);
  addRetractCommand(event, world);
  fromOrigin(event.command('show'), world)
    .description('header facts of one event, own or received; no content')
    .action(async (id: EventId, options: OriginOptions, command: Command) =>
      show(world, id, options, command),
    );
  const openCommand = fromOrigin(event.command('open'), world);
  withWait(openCommand, 'try so long while it is still on its way')
    .description('read one event for a purpose and a case; every attempt is logged')
    .requiredOption('--purpose <name>', 'what it is read for')
    .requiredOption('--case <number>', "the reader's own case number")
    .action(async (id: EventId, options: OpenOptions, command: Command) =>
      open(world, id, options, command),
    );
  addOnwardCommands(event, world);
  asMember(event.command('holders'), world)
    .argument('<id>', 'an own event', eventArgument)
    .description('who was given keys of an own event, from the dissemination ledger')
    .action(async (id: EventId, options: MemberOptions, command: Command) =>
      holders(world, id, options, command),
    );
}

function fromOrigin(command: Command, world: World): Command {
  return asMember(command, world)
    .argument('<id>', 'an event', eventArgument)
    .requiredOption('--origin <id>', 'who published it', memberArgument);
}

async function show(
  world: World,
  eventId: EventId,
  options: OriginOptions,
  command: Command,
): Promise<void> {
  const { print, call } = surroundings(world, command);
  const { origin } = options;
  const found = await withClient(options, DOORS.operator, (node) =>
    node.show({ origin, eventId }, call),
  );
  print.facts({
    event: found.eventId,
    origin: found.origin,
    state: found.state,
    category: found.category,
    sections: found.sections,
    purposes: found.purposes,
    agreement: found.agreement,
    handling: handlingText(found.handling),
    supersedes: found.supersedes,
    supersededBy: found.supersededBy,
    legalBasis: found.legalBasis,
    collectedAt: timeText(found.collectedAtMs),
    retainUntil: timeText(found.retainUntilMs),
    deleteBy: timeText(found.deleteByMs),
  });
}

async function open(
  world: World,
  eventId: EventId,
  options: OpenOptions,
  command: Command,
): Promise<void> {
  const { print, call } = surroundings(world, command);
  const { origin, purpose, case: caseId, wait = 0 } = options;
  const opened = await withClient(options, DOORS.national, (node) =>
    untilThere(world.clock, wait, isOnItsWay, () =>
      node.read({ origin, eventId, purpose, caseId }, call),
    ),
  );
  const view = openedView(opened);
  for (const warning of view.warnings) print.progress(`warning: ${warning}`);
  print.answer(view, () => openedLines(view));
}

async function holders(
  world: World,
  eventId: EventId,
  options: MemberOptions,
  command: Command,
): Promise<void> {
  const { print, call } = surroundings(world, command);
  const found = await withClient(options, DOORS.operator, (node) =>
    node.holders({ eventId }, call),
  );
  print.progress(
    found.sealed ? 'taken back: its keys are destroyed' : 'in force: its keys are here',
  );
  print.list(
    found.holders.map(({ member, recordedAtMs, sections }) => ({
      member,
      recordedAt: timeText(recordedAtMs),
      sections,
    })),
    {
      member: ({ member }) => member,
      'key recorded at': ({ recordedAt }) => recordedAt,
      sections: ({ sections }) => sections.join(', '),
    },
  );
}
