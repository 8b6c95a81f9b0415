import { writeFile } from 'node:fs/promises';
import { ConcordatError, asConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId, MemberId, OrderId } from '@concordat/common/domain/ids.js';
import { type Command, Option } from 'commander';
import { OFFICER_REASONS, type OfficerReason } from '../domain/purge-order.js';
import type { Printer } from '../io/print.js';
import { DOORS, withClient } from '../io/session.js';
import {
  type MemberOptions,
  type Surroundings,
  asMember,
  durationArgument,
  memberArgument,
  eventsArgument,
  orderArgument,
  sameMember,
  surroundings,
  usageError,
} from './options.js';
import { placeOrder } from './place-order.js';
import { addStatusOfPurges } from './purge-status.js';
import type { World } from './world.js';

interface OrderOptions extends MemberOptions {
  readonly reason: OfficerReason;
  readonly deadline: number;
  readonly dryRun?: true;
}
interface FileOptions extends MemberOptions {
  readonly out: string;
}
interface CertificateOptions extends FileOptions {
  readonly incomplete?: true;
}
interface NoticeOptions extends FileOptions {
  readonly holder: MemberId;
}

const DAY_MS = 86_400_000;

export function addPurgeCommands(program: Command, world: World): void {
  const purge = program.command('purge').description('take events back from whoever holds them');
  asMember(purge.command('order'), world)
    .description("order the purge of own events, signed with the purge officer's key of the home")
    .argument('<ids...>', 'own events', eventsArgument)
    .addOption(
      new Option('--reason <reason>', 'why').choices(OFFICER_REASONS).makeOptionMandatory(),
    )
    .addOption(
      new Option('--deadline <duration>', 'until when every holder must have answered')
        .argParser(durationArgument)
        .default(DAY_MS, '24h'),
    )
    .option('--dry-run', 'show whom it would reach; order nothing')
    .action(async (ids: readonly EventId[], options: OrderOptions, command: Command) => {
      const around = surroundings(world, command);
      if (options.dryRun) await preview(ids, options, around);
      else await order(world, ids, options, around);
    });
  addStatusOfPurges(purge, world);
  asMember(purge.command('certificate'), world)
    .description('the certificate of a closed order; concordat verify certificate checks it')
    .argument('<order>', 'an order', orderArgument)
    .option('--out <file>', 'where to write it; - for the standard output', '-')
    .option('--incomplete', 'also while holders have not answered; it says who and why')
    .action(async (orderId: OrderId, options: CertificateOptions, command: Command) =>
      certificate(orderId, options, surroundings(world, command)),
    );
  asMember(purge.command('notice'), world)
    .description("the signed statement that a holder was silent past an order's deadline")
    .argument('<order>', 'an order', orderArgument)
    .requiredOption('--holder <id>', 'who was silent', memberArgument)
    .option('--out <file>', 'where to write it; - for the standard output', '-')
    .action(async (orderId: OrderId, options: NoticeOptions, command: Command) =>
      notice(orderId, options, surroundings(world, command)),
    );
}

async function preview(
  ids: readonly EventId[],
  options: MemberOptions,
  { print, call }: Surroundings,
): Promise<void> {
  const { member: origin } = options;
  const found = await withClient(options, DOORS.operator, (node) =>
    Promise.all(
      ids.map(async (eventId) => {
        const { category, state } = await node.show({ origin, eventId }, call);
        const { holders, sealed } = await node.holders({ eventId }, call);
        return {
          event: eventId,
          category,
          state,
          sealed,
          holders: holders.map((one) => one.member),
        };
      }),
    ),
  );
  print.list(found, {
    event: ({ event }) => event,
    category: ({ category }) => category,
    state: ({ state }) => state,
    holders: ({ holders }) => (holders.length === 0 ? 'nobody' : holders.join(', ')),
  });
  const reached = new Set(found.flatMap(({ holders }) => holders));
  print.progress(
    `events: ${found.length}, holders: ${reached.size}; a dry run, nothing is ordered`,
  );
}

async function order(
  world: World,
  ids: readonly EventId[],
  options: OrderOptions,
  { print, call }: Surroundings,
): Promise<void> {
  const { reason } = options;
  const orderId = await placeOrder(world, { ids, reason }, options, { call });
  print.answer({ orderId }, () => [orderId]);
  print.progress(`next  concordat purge status ${orderId} --watch${sameMember(options, world)}`);
}

async function certificate(
  orderId: OrderId,
  options: CertificateOptions,
  { print, call }: Surroundings,
): Promise<void> {
  const { dsseJson } = await withClient(options, DOORS.purge, (revocation) =>
    revocation.certificate({ orderId, evenIncomplete: options.incomplete ?? false }, call),
  );
  await handOut('certificate', dsseJson, options.out, print);
}

async function notice(
  orderId: OrderId,
  options: NoticeOptions,
  { print, call }: Surroundings,
): Promise<void> {
  const { holder, out } = options;
  const { notices } = await withClient(options, DOORS.purge, (revocation) =>
    revocation.notices({ orderId }, call),
  );
  const [first, ...more] = notices.filter(({ member }) => member === holder);
  if (!first) {
    const text = `expected a default notice of ${holder} for this order, there is none`;
    throw new ConcordatError('NOTICE_UNKNOWN', text);
  }
  if (more.length > 0) print.progress(`the first of ${more.length + 1}, one for each entry`);
  await handOut('notice', first.dsseJson, out, print);
}

async function handOut(
  kind: 'certificate' | 'notice',
  dsseJson: string,
  out: string,
  print: Printer,
): Promise<void> {
  if (out === '-') {
    print.raw(`${dsseJson}\n`);
    return;
  }
  try {
    await writeFile(out, `${dsseJson}\n`);
  } catch (cause) {
    throw usageError(
      `--out: expected a file that can be written, came ${asConcordatError(cause).code}`,
    );
  }
  print.progress(`${out}: anybody with the trust file can check it, offline`);
  print.progress(`next  concordat verify ${kind} ${out}`);
}
