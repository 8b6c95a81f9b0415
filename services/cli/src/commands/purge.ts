import { writeFile } from 'node:fs/promises';
import { ConcordatError, asConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId, OrderId } from '@concordat/common/domain/ids.js';
import type { Command } from 'commander';
import type { Printer } from '../io/print.js';
import { DOORS, withClient } from '../io/session.js';
import {
  type MemberOptions,
  type Surroundings,
  asMember,
  memberArgument,
  orderArgument,
  surroundings,
  usageError,
} from './options.js';
import { addHoldCommands } from './purge-hold.js';
import { addApproveCommand } from './purge-approve.js';
import { addOrderCommands } from './purge-order.js';
import { addReceiptsCommand } from './purge-receipts.js';
import { addScopeCommand } from './purge-scope.js';
import { addStatusOfPurges } from './purge-status.js';
import type { World } from './world.js';

interface FileOptions extends MemberOptions {
  readonly out: string;
}
interface CertificateOptions extends FileOptions {
  readonly incomplete?: true;
}
interface NoticeOptions extends FileOptions {
  readonly holder: MemberId;
}

export function addPurgeCommands(program: Command, world: World): void {
  const purge = program.command('purge').description('take events back from whoever holds them');
  addOrderCommands(purge, world);
  addApproveCommand(purge, world);
  addStatusOfPurges(purge, world);
  addReceiptsCommand(purge, world);
  addHoldCommands(purge, world);
  addScopeCommand(purge, world);
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
