import { type ConcordatError, asConcordatError } from '@concordat/common/domain/errors.js';
import type { Command } from 'commander';
import { EXIT } from '../domain/exit-code.js';
import { MEMBER_SERVICES, type MemberService } from '../domain/service-environment.js';
import { alignedLines } from '../domain/terminal-text.js';
import { memberIn, readFederationOf } from '../io/home.js';
import { factLines } from '../io/print.js';
import { DOORS, withClient } from '../io/session.js';
import { untilThere } from '../io/until-there.js';
import { type MemberOptions, asMember, surroundings, withWait } from './options.js';
import type { World } from './world.js';

export function addStatusCommand(program: Command, world: World): void {
  const command = asMember(program.command('status'), world);
  withWait(command, 'ask so long while a service does not answer')
    .description("how a member's services stand; exit code 7 when one does not answer")
    .action(async (options: StatusOptions, on: Command) => status(world, options, on));
}

interface StatusOptions extends MemberOptions {
  readonly wait?: number;
}

/** What a service answered, or the code of why it did not. */
async function answerOf(ask: Promise<object>): Promise<object> {
  return ask.catch((cause: unknown) => ({ error: asConcordatError(cause).code }));
}

async function status(world: World, options: StatusOptions, command: Command): Promise<void> {
  const { print, call } = surroundings(world, command);
  const member = memberIn(await readFederationOf(options.home), options.member);
  const asked: Record<MemberService, () => Promise<object>> = {
    node: () => withClient(options, DOORS.operator, (client) => client.status({}, call)),
    consent: () => withClient(options, DOORS.consent, (client) => client.status({}, call)),
    revocation: () =>
      withClient(options, DOORS.purge, async (client) => {
        const { orders, ...rest } = await client.list({}, call);
        return { ...rest, orders: orders.length };
      }),
  };
  const services = MEMBER_SERVICES.filter((service) => member.services[service] !== undefined);
  const answers = await Promise.all(
    services.map(async (service) => {
      const answer = untilThere(world.clock, options.wait ?? 0, isAway, asked[service]);
      return [service, await answerOf(answer)] as const;
    }),
  );
  print.answer(Object.fromEntries(answers), () =>
    answers.flatMap(([service, answer]) => [
      `${service} of ${member.id} at ${member.services[service] ?? ''}`,
      ...linesOf(answer).map((line) => `  ${line}`),
    ]),
  );
  for (const [service, answer] of answers) {
    for (const warning of warningsIn(answer)) print.progress(`warning  ${service}: ${warning}`);
  }
  if (answers.some(([, answer]) => 'error' in answer)) world.finish(EXIT.partlyDone);
}

/** What a number alone would let pass. */
function warningsIn(answer: object): string[] {
  const own = 'unerasedOverdue' in answer ? Number(answer.unerasedOverdue) : 0;
  const counters = 'counters' in answer ? (answer.counters as Record<string, number>) : {};
  const others = counters['media.overdue'] ?? 0;
  return [
    ...(own > 0
      ? [
          `media of ${own} orders not erased within the hour; concordat node erase-media does it now`,
        ]
      : []),
    ...(others > 0
      ? [`holders have not said within the hour that media are erased, for ${others} entries`]
      : []),
  ];
}

function isAway({ code }: ConcordatError): boolean {
  return code === 'PEER_UNAVAILABLE';
}

/** Names and counts first, then one line for each partner, recipient and the like. */
function linesOf(answer: object): readonly string[] {
  const fields = Object.entries(answer) as readonly (readonly [string, unknown])[];
  const isGroup = (value: unknown): boolean => typeof value === 'object';
  const facts = [
    ...fields.filter(([, value]) => !isGroup(value)),
    ...fields.filter(([, value]) => isGroup(value) && !Array.isArray(value)),
  ];
  const lists = fields.filter(([, value]) => Array.isArray(value) && value.length > 0);
  return [
    ...factLines(Object.fromEntries(facts.map(([name, value]) => [name, counted(value)]))),
    ...lists.flatMap(([name, rows]) =>
      alignedLines((rows as readonly unknown[]).map((row) => [name, ...cells(row)])),
    ),
  ];
}

/** What names the row stands first: `recipient de  released 4`. */
function cells(row: unknown): readonly string[] {
  if (typeof row !== 'object' || row === null) return [String(row)];
  const fields = Object.entries(row) as readonly (readonly [string, unknown])[];
  const names = fields.filter(([, value]) => typeof value === 'string');
  const rest = fields.filter(([, value]) => typeof value !== 'string');
  return [...names, ...rest]
    .map(([name, value]) => [name, counted(value)])
    .filter(([, text]) => text !== '')
    .map((parts) => parts.join(' '));
}

/** `{a: 1, b: 2}` reads `a 1, b 2`. */
function counted(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return value.join(', ');
  return Object.entries(value)
    .map(([name, count]) => `${name} ${String(count)}`)
    .join(', ');
}
