import { readFile } from 'node:fs/promises';
import { asConcordatError } from '@concordat/common/domain/errors.js';
import type { Command } from 'commander';
import { type ScopeCount, countLosses, scopeText } from '../domain/scope-counts.js';
import { DOORS, withClient } from '../io/session.js';
import { confirm } from './confirm.js';
import {
  type MemberOptions,
  type Surroundings,
  asMember,
  sameMember,
  surroundings,
  usageError,
} from './options.js';
import type { World } from './world.js';

interface ScopeOptions extends MemberOptions {
  readonly policy?: string;
  readonly confirm?: true;
  readonly yes?: true;
}

export function addScopeCommand(purge: Command, world: World): void {
  asMember(purge.command('scope'), world)
    .description('what recipients hold that the agreements would withhold from them now')
    .option('--policy <file>', 'as if this agreements file were in force; nothing changes')
    .option('--confirm', 'order back what waits for a yes because it is so much')
    .option('--yes', 'do not ask')
    .action(async (options: ScopeOptions, command: Command) => {
      const around = surroundings(world, command);
      if (options.confirm) await confirmWaiting(world, options, around);
      else await preview(world, options, around);
    });
}

async function preview(world: World, options: ScopeOptions, around: Surroundings): Promise<void> {
  const { print } = around;
  const policy = options.policy === undefined ? new Uint8Array() : await readBytes(options.policy);
  const counts = await lossesUnder(policy, options, around);
  show(counts, around);
  const text = scopeText(counts);
  if (options.policy !== undefined) {
    print.progress(`${text}; a preview, nothing is ordered`);
    return;
  }
  const { waitingStanding, confirmAbove } = await withClient(options, DOORS.purge, (revocation) =>
    revocation.scope({}, around.call),
  );
  print.progress(text);
  if (waitingStanding === '') return;
  print.progress(`more than ${String(confirmAbove)}: nothing is ordered before a person says yes`);
  print.progress(`next  concordat purge scope --confirm${sameMember(options, world)}`);
}

async function confirmWaiting(
  world: World,
  options: ScopeOptions,
  around: Surroundings,
): Promise<void> {
  if (options.policy !== undefined) throw usageError('--confirm: expected no --policy beside it');
  const { print, call } = around;
  const { waiting, waitingStanding: standing } = await withClient(
    options,
    DOORS.purge,
    (revocation) => revocation.scope({}, call),
  );
  if (standing === '') {
    print.progress('nothing waits');
    return;
  }
  show(waiting, around);
  await confirm(world, `Take this back: ${scopeText(waiting)}?`, options, around);
  await withClient(options, DOORS.purge, (revocation) =>
    revocation.confirmScope({ standing }, call),
  );
  print.progress(
    `it is ordered on the next look; next  concordat purge status${sameMember(options, world)}`,
  );
}

function show(counts: readonly ScopeCount[], { print }: Surroundings): void {
  print.list(counts, {
    member: ({ recipient }) => recipient,
    sections: ({ sections }) => (sections.length === 0 ? 'all' : sections.join(', ')),
    events: ({ events }) => events,
  });
}

async function lossesUnder(
  policy: Uint8Array,
  options: ScopeOptions,
  { call }: Surroundings,
): Promise<ScopeCount[]> {
  return withClient(options, DOORS.operator, async (node) => {
    let counts: ScopeCount[] = [];
    let after = 0;
    do {
      const page = await node.previewScope({ policy, after }, call);
      counts = countLosses(counts, page.losses);
      after = page.next;
    } while (after !== 0);
    return counts;
  });
}

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw usageError(
      `--policy: expected a file that can be read, came ${asConcordatError(cause).code}`,
    );
  }
}
