import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import { type Command, InvalidArgumentError } from 'commander';
import { timeText } from '../domain/time-text.js';
import { DOORS, withClient } from '../io/session.js';
import {
  type MemberOptions,
  type Surroundings,
  asMember,
  eventArgument,
  memberArgument,
  surroundings,
} from './options.js';
import type { World } from './world.js';

interface EventOptions extends MemberOptions {
  readonly origin: MemberId;
}
interface HoldOptions extends EventOptions {
  readonly ground: string;
  readonly authority: string;
  readonly reviewBy: number;
}

export function addHoldCommands(purge: Command, world: World): void {
  ofOrigin(purge.command('hold'), world)
    .description(
      "keep another member's event here by law: once it is purged nobody reads it, and its receipt stays open",
    )
    .requiredOption('--ground <text>', 'why; stands in the receipt, so name no content')
    .requiredOption('--authority <text>', 'who ordered it; stands in the receipt')
    .requiredOption('--review-by <date>', 'when it is looked at again, 2027-01-31', dateArgument)
    .action(async (id: EventId, options: HoldOptions, command: Command) =>
      hold(id, options, surroundings(world, command)),
    );
  ofOrigin(purge.command('release'), world)
    .description('end a legal hold; what was purged meanwhile is deleted at once')
    .action(async (id: EventId, options: EventOptions, command: Command) =>
      release(id, options, surroundings(world, command)),
    );
  asMember(purge.command('holds'), world)
    .description('what is kept here by law, the first review first')
    .action(async (options: MemberOptions, command: Command) =>
      holds(options, surroundings(world, command)),
    );
}

function ofOrigin(command: Command, world: World): Command {
  return asMember(command, world)
    .argument('<id>', 'an event', eventArgument)
    .requiredOption('--origin <id>', 'who published it', memberArgument);
}

/** The end of that day, UTC, or a moment. */
function dateArgument(text: string): number {
  const ms = Date.parse(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T23:59:59.999Z` : text);
  const isTold = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?Z)?$/.test(text);
  if (isTold && Number.isFinite(ms)) return ms;
  throw new InvalidArgumentError('Expected a date, 2027-01-31, or a moment, 2027-01-31T12:00:00Z.');
}

async function hold(
  eventId: EventId,
  { origin, ground, authority, reviewBy, ...options }: HoldOptions,
  { print, call }: Surroundings,
): Promise<void> {
  const request = { origin, eventId, ground, authority, reviewAtMs: reviewBy };
  const held = await withClient(options, DOORS.operator, (node) => node.placeHold(request, call));
  print.facts(viewOf(held));
  print.progress('it is read as before until it is purged; then by nobody, and it is never done');
}

async function release(
  eventId: EventId,
  { origin, ...options }: EventOptions,
  { print, call }: Surroundings,
): Promise<void> {
  const held = await withClient(options, DOORS.operator, (node) =>
    node.releaseHold({ origin, eventId }, call),
  );
  print.facts(viewOf(held));
  print.progress(
    held.purged
      ? 'it was purged meanwhile: it is deleted now, and the final receipt is signed'
      : 'it is not purged: it is read as before, and the next purge deletes it',
  );
}

async function holds(options: MemberOptions, { print, call }: Surroundings): Promise<void> {
  const answer = await withClient(options, DOORS.operator, (node) => node.listHolds({}, call));
  print.list(answer.holds.map(viewOf), {
    event: ({ event }) => event,
    origin: ({ origin }) => origin,
    purged: ({ purged }) => (purged ? 'purged' : 'not purged'),
    'review by': ({ reviewBy, reviewOverdue }) =>
      reviewOverdue ? `${reviewBy}, overdue` : reviewBy,
    ground: ({ ground }) => ground,
    authority: ({ authority }) => authority,
  });
}

function viewOf(held: {
  readonly eventId: string;
  readonly origin: string;
  readonly ground: string;
  readonly authority: string;
  readonly reviewAtMs: number;
  readonly placedAtMs: number;
  readonly purged: boolean;
  readonly reviewOverdue: boolean;
}) {
  const { eventId, reviewAtMs, placedAtMs, ...rest } = held;
  const times = { reviewBy: timeText(reviewAtMs), placedAt: timeText(placedAtMs) };
  return { event: eventId, ...rest, ...times };
}
