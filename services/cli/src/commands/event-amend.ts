import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import type { Command } from 'commander';
import { amendmentOf } from '../domain/amendment.js';
import { newEventId } from '../io/new-id.js';
import { readInput } from '../io/read-input.js';
import { DOORS, withClient } from '../io/session.js';
import { placeText } from './event-publish.js';
import { HANDLING } from './handling-options.js';
import {
  type MemberOptions,
  asMember,
  eventArgument,
  membersArgument,
  surroundings,
  textsArgument,
  wholeNumber,
} from './options.js';
import type { World } from './world.js';

interface AmendOptions extends MemberOptions {
  readonly id?: EventId;
  readonly purpose?: readonly string[];
  readonly legalBasis?: string;
  readonly tlp?: string;
  readonly europol?: string;
  readonly source?: string;
  readonly information?: string;
  readonly retainDays?: number;
  readonly to?: readonly MemberId[];
  readonly byAgreement?: boolean;
}

const DAY_MS = 86_400_000;

export function addAmendCommand(event: Command, world: World): void {
  asMember(event.command('amend'), world)
    .description('correct an own event: a new one with its facts replaces it, and it is taken back')
    .argument('<event>', 'the newest version of an own event', eventArgument)
    .argument('<file>', 'the whole content, corrected, as JSON; - for the standard input')
    .option('--purpose <names>', 'other purposes; repeat or a,b', textsArgument)
    .option('--legal-basis <text>', 'another law that permits to share it')
    .option('--to <members>', 'exactly these recipients; repeat or de,fr', membersArgument)
    .option('--by-agreement', 'whoever an agreement permits')
    .option(
      '--retain-days <n>',
      'delete it everywhere after this, from now',
      wholeNumber(1, 36_500),
    )
    .option('--id <uuid>', 'UUIDv7; the same again gets the first result', eventArgument)
    .addOption(HANDLING.tlp())
    .addOption(HANDLING.europol())
    .addOption(HANDLING.source())
    .addOption(HANDLING.information())
    .addHelpText(
      'after',
      '\nWhat is not said stays as it was, dates included; parents (derived-from) do not.',
    )
    .action(async (old: EventId, file: string, options: AmendOptions, command: Command) =>
      amend(world, { old, file }, options, command),
    );
}

async function amend(
  world: World,
  { old, file }: { readonly old: EventId; readonly file: string },
  options: AmendOptions,
  command: Command,
): Promise<void> {
  const { print, call } = surroundings(world, command);
  const { member: origin, purpose, information, retainDays, ...rest } = options;
  const contentJson = await readInput(file, world.stdin);
  const shown = await withClient(options, DOORS.operator, (node) =>
    node.show({ origin, eventId: old }, call),
  );
  const amendment = amendmentOf(old, shown, {
    ...rest,
    ...(purpose && { purposes: purpose }),
    ...(information !== undefined && { information: Number(information) }),
    ...(retainDays !== undefined && { retainUntilMs: world.clock.nowMs() + retainDays * DAY_MS }),
  });
  if (!amendment.ok) throw amendment.error;
  const eventId = options.id ?? newEventId(world);
  const published = await withClient(options, DOORS.national, (node) =>
    node.publish({ ...amendment.value, eventId, contentJson, derivedFrom: [] }, call),
  );
  print.progress(`replaces ${old}, which is taken back from whoever holds it`);
  print.progress(placeText(published));
  print.answer(published, () => [published.eventId]);
}
