import { ConcordatError } from '@concordat/common/domain/errors.js';
import {
  type EventId,
  type MemberId,
  type OrderId,
  parseEventId,
  parseMemberId,
  parseOrderId,
} from '@concordat/common/domain/ids.js';
import type { Result } from '@concordat/common/domain/result.js';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Settings } from '../config.js';
import { DURATION_EXPECTED, parseDuration } from '../domain/duration.js';
import { type Printer, openPrinter } from '../io/print.js';
import type { World } from './world.js';

/** How long one call may take unless `--timeout` says otherwise. */
const CALL_MS_MAX = 10_000;
const DEFAULT_BROKERS = '127.0.0.1:9092';

export interface GlobalOptions {
  readonly output: 'table' | 'json';
  readonly quiet: boolean;
  readonly color: boolean;
  readonly timeout?: number;
}

/** For commander: the parsed value, or its own error with what was expected. */
function taken<T>(parsed: Result<T, string>, expected: string): T {
  if (parsed.ok) return parsed.value;
  throw new InvalidArgumentError(`Expected ${expected}.`);
}

const MEMBER = 'a member id of 2 to 8 lower-case letters';
const UUID_V7 = 'a UUID of version 7 in lower-case letters';

export function memberArgument(text: string): MemberId {
  return taken(parseMemberId(text), MEMBER);
}

export function eventArgument(text: string): EventId {
  return taken(parseEventId(text), UUID_V7);
}

export function eventsArgument(text: string, before: readonly EventId[] = []): EventId[] {
  return [...before, eventArgument(text)];
}

/** An event of whichever member: `un/0196…`. */
export interface EventReference {
  readonly origin: MemberId;
  readonly eventId: EventId;
}

export function referencesArgument(
  text: string,
  before: readonly EventReference[] = [],
): EventReference[] {
  const [origin = '', id = '', ...more] = text.split('/');
  const event = more.length === 0 ? parseEventId(id) : undefined;
  const member = parseMemberId(origin);
  if (event?.ok && member.ok) return [...before, { origin: member.value, eventId: event.value }];
  throw new InvalidArgumentError(`Expected MEMBER/ID: ${MEMBER}, a slash, ${UUID_V7}.`);
}

export function orderArgument(text: string): OrderId {
  return taken(parseOrderId(text), 'a UUID in lower-case letters');
}

export function durationArgument(text: string): number {
  return taken(parseDuration(text), DURATION_EXPECTED);
}

export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : -1;
    if (value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
  };
}

export const portArgument = wholeNumber(1, 65_535);

/** `a,b` or the option again. */
export function textsArgument(text: string, before: readonly string[] = []): string[] {
  return [...before, ...text.split(',').map((one) => one.trim())];
}

export function membersArgument(text: string, before: readonly MemberId[] = []): MemberId[] {
  return [...before, ...text.split(',').map(memberArgument)];
}

export function addGlobalOptions(program: Command): Command {
  return program
    .addOption(
      new Option('--output <format>', 'how answers are written')
        .choices(['table', 'json'])
        .default('table'),
    )
    .option('--quiet', 'no progress on stderr', false)
    .option('--no-color', 'no colours (also NO_COLOR)')
    .option('--timeout <duration>', 'give up after this long', durationArgument);
}

export interface HomeOptions {
  readonly home: string;
}
export interface MemberOptions extends HomeOptions {
  readonly member: MemberId;
}

function homeOption({ home }: Settings): Option {
  const text = 'directory of the federation (CONCORDAT_HOME)';
  return new Option('--home <dir>', text).default(home ?? '.');
}

export function atHome(command: Command, { settings }: World): Command {
  return command.addOption(homeOption(settings));
}

export function asMember(command: Command, { settings }: World): Command {
  const option = new Option('--member <id>', 'for whom (CONCORDAT_MEMBER)')
    .argParser(memberArgument)
    .makeOptionMandatory();
  return command
    .addOption(homeOption(settings))
    .addOption(settings.member === undefined ? option : option.default(settings.member));
}

/** `--home` and `--member` for a command that we suggest, as far as the shell does not say them already. */
export function sameMember({ home, member }: MemberOptions, { settings }: World): string {
  const homeFlag = home === (settings.home ?? '.') ? '' : ` --home ${home}`;
  return homeFlag + (member === settings.member ? '' : ` --member ${member}`);
}

export interface BrokerOptions {
  readonly brokers: string;
  readonly profile: string;
}

export function onBroker(command: Command, { settings }: World): Command {
  return command
    .option(
      '--brokers <addresses>',
      'host:port,... of Kafka (KAFKA_BROKERS)',
      settings.brokers ?? DEFAULT_BROKERS,
    )
    .option(
      '--profile <name>',
      'production or demo (CONCORDAT_PROFILE)',
      settings.profile ?? 'production',
    );
}

/** For what takes a moment to come: without it, one attempt. */
export function withWait(command: Command, about: string): Command {
  return command.option('--wait <duration>', about, durationArgument);
}

/** What an action needs of the global options. */
export interface Surroundings {
  readonly print: Printer;
  /** for one call */
  readonly call: { readonly timeoutMs: number };
  /** how long to go on with something that has no end of its own, if anybody said so */
  readonly patienceMs: number | undefined;
}

export function surroundings(world: World, command: Command): Surroundings {
  const { output, quiet, color, timeout } = command.optsWithGlobals<GlobalOptions>();
  return {
    print: openPrinter(world, { output, quiet, color: color && usesColor(world) }),
    call: { timeoutMs: timeout ?? CALL_MS_MAX },
    patienceMs: timeout,
  };
}

export function usesColor({
  settings,
  isTerminal,
}: Pick<World, 'settings' | 'isTerminal'>): boolean {
  return settings.allowsColor && isTerminal;
}

export function usageError(text: string): ConcordatError {
  return new ConcordatError('REQUEST_INVALID', text);
}
