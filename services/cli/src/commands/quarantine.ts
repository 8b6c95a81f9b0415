import { ConcordatError } from '@concordat/common/domain/errors.js';
import { type Command, Option } from 'commander';
import { EXIT } from '../domain/exit-code.js';
import { MEMBER_SERVICES, type MemberService } from '../domain/service-environment.js';
import { timeText } from '../domain/time-text.js';
import { factLines } from '../io/print.js';
import { quarantineOf, withClient } from '../io/session.js';
import { type MemberOptions, type Surroundings, asMember, surroundings } from './options.js';
import type { World } from './world.js';

interface QuarantineOptions extends MemberOptions {
  readonly service: MemberService;
}

const SOURCE = 'where it came from, as the list names it: <topic>/<lane>/<offset>';

export function addQuarantineCommands(program: Command, world: World): void {
  const quarantine = program
    .command('quarantine')
    .description('records that were refused, and kept as they came');
  const of = (name: string): Command =>
    asMember(quarantine.command(name), world).addOption(
      new Option('--service <service>', 'which of the member’s services refused them')
        .choices(MEMBER_SERVICES)
        .default('node'),
    );
  of('list')
    .description('where each came from and why it was refused')
    .action(async (options: QuarantineOptions, on: Command) =>
      list(options, surroundings(world, on)),
    );
  of('show')
    .description('one of them; never its bytes')
    .argument('<source>', SOURCE)
    .action(async (source: string, options: QuarantineOptions, on: Command) =>
      show(source, options, surroundings(world, on)),
    );
  of('replay')
    .description(
      'handle one again, after what it was refused for was put right; exit code 7 when it stays',
    )
    .argument('<source>', SOURCE)
    .action(async (source: string, options: QuarantineOptions, on: Command) =>
      replay(source, options, { ...surroundings(world, on), finish: world.finish }),
    );
}

async function itemsOf(options: QuarantineOptions, { call }: Surroundings) {
  const { items } = await withClient(options, quarantineOf(options.service), (client) =>
    client.list({}, call),
  );
  return items.map(({ atMs, ...item }) => ({ at: timeText(atMs), ...item }));
}

async function list(options: QuarantineOptions, around: Surroundings): Promise<void> {
  const items = await itemsOf(options, around);
  around.print.list(items, {
    at: ({ at }) => at,
    source: ({ source }) => source,
    code: ({ code }) => code,
    message: ({ message }) => message,
  });
  around.print.progress(`records in quarantine: ${items.length}`);
}

async function show(
  source: string,
  options: QuarantineOptions,
  around: Surroundings,
): Promise<void> {
  const item = (await itemsOf(options, around)).find((one) => one.source === source);
  if (!item) {
    const text = `<source>: expected one that "quarantine list" names, came another`;
    throw new ConcordatError('REQUEST_INVALID', text);
  }
  around.print.answer(item, () => factLines(item));
}

async function replay(
  source: string,
  options: QuarantineOptions,
  { print, call, finish }: Surroundings & Pick<World, 'finish'>,
): Promise<void> {
  const answer = await withClient(options, quarantineOf(options.service), (client) =>
    client.replay({ source }, call),
  );
  print.answer(answer, () => factLines(answer));
  if (answer.outcome !== 'APPLIED') finish(EXIT.partlyDone);
}
