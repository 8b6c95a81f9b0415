import type { MemberId } from '@concordat/common/domain/ids.js';
import { LEAVE_REASONS } from '@concordat/common/domain/purge-order.js';
import { type Command, Option } from 'commander';
import {
  type LeavingAnswer,
  leaveQuestion,
  leavingExit,
  leavingView,
  owedLine,
  standingText,
} from '../domain/member-progress.js';
import { newOrderId } from '../io/new-id.js';
import { DOORS, withClient } from '../io/session.js';
import { signOrders } from '../io/sign-order.js';
import { confirm } from './confirm.js';
import { watchLeaving } from './member-watch.js';
import {
  type MemberOptions,
  type Surroundings,
  asMember,
  durationArgument,
  memberArgument,
  sameMember,
  surroundings,
  usageError,
} from './options.js';
import type { World } from './world.js';

interface LeaveOptions extends MemberOptions {
  readonly reason: (typeof LEAVE_REASONS)[number];
  readonly deadline: number;
  readonly as?: string;
  readonly yes?: true;
  readonly watch?: true;
}

interface StatusOptions extends MemberOptions {
  readonly watch?: true;
}

const DAY_MS = 86_400_000;

/** @param noun `concordat member` */
export function addLeavingCommands(noun: Command, world: World): void {
  asMember(noun.command('leave'), world)
    .description(
      'another member leaves: nothing more goes to it, all it was given is taken back; a second person has to approve',
    )
    .argument('<leaver>', 'the member that leaves', memberArgument)
    .addOption(new Option('--reason <reason>', 'why').choices(LEAVE_REASONS).makeOptionMandatory())
    .addOption(
      new Option('--deadline <duration>', 'how long it has to answer')
        .argParser(durationArgument)
        .default(DAY_MS, '24h'),
    )
    .option('--as <key>', 'which purge officer signs: the name of a key of the home, or a file')
    .option('--yes', 'do not ask')
    .option('--watch', 'wait until it has answered for everything, a line for each change')
    .addHelpText('after', '\nNobody comes back. Exit codes: see member status.')
    .action(async (leaver: MemberId, options: LeaveOptions, command: Command) =>
      leave(world, leaver, options, surroundings(world, command)),
    );
  asMember(noun.command('status'), world)
    .description(
      'members that leave or have left, and what each owes; exit code 7 while anything is owed',
    )
    .argument('[leaver]', 'one member', memberArgument)
    .option('--watch', 'go on until it has left or is overdue; may be interrupted and taken up')
    .action(async (leaver: MemberId | undefined, options: StatusOptions, command: Command) =>
      status(world, leaver, options, surroundings(world, command)),
    );
}

async function leave(
  world: World,
  leaver: MemberId,
  options: LeaveOptions,
  around: Surroundings,
): Promise<void> {
  const { print, call } = around;
  const { home, member, reason, deadline: deadlineMs, as } = options;
  const events = await countGivenTo(leaver, options, around);
  await confirm(world, leaveQuestion(leaver, events), options, around);
  const orderId = newOrderId(world);
  const [order = new Uint8Array()] = await signOrders(world, {
    ...{ home, member, as, reason, deadlineMs, orders: [{ orderId, ids: [] }] },
    cover: { recipients: [leaver], sections: [] },
  });
  await withClient(options, DOORS.purge, (revocation) => revocation.order({ order }, call));
  if (options.watch) {
    print.progress(`ordered as ${orderId}`);
    print.progress(approveText(orderId, options, world));
    await follow(world, leaver, options, around);
    return;
  }
  print.answer({ member: leaver, orderId }, () => [orderId]);
  print.progress(`${leaver} is a member as before until a second person approves it`);
  print.progress(approveText(orderId, options, world));
}

/** Own events that a member was ever given keys of, as the own node counts them. */
export async function countGivenTo(
  member: MemberId,
  options: MemberOptions,
  { call }: Surroundings,
): Promise<number> {
  const { released } = await withClient(options, DOORS.operator, (node) => node.status({}, call));
  return released[member] ?? 0;
}

function approveText(orderId: string, options: MemberOptions, world: World): string {
  return `next  another person: concordat purge approve ${orderId} --as KEY${sameMember(options, world)}`;
}

async function status(
  world: World,
  leaver: MemberId | undefined,
  options: StatusOptions,
  around: Surroundings,
): Promise<void> {
  const { print, call } = around;
  if (options.watch) {
    if (leaver === undefined) throw usageError('--watch: expected a member to watch, came none');
    await follow(world, leaver, options, around);
    return;
  }
  const { members } = await withClient(options, DOORS.purge, (revocation) =>
    revocation.members({ member: leaver ?? '' }, call),
  );
  if (leaver === undefined) all(members, print);
  else one(world, leaver, members, options, around);
  world.finish(leavingExit(members));
}

/** Until it has left or is overdue, and then all that is known of it. */
async function follow(
  world: World,
  leaver: MemberId,
  options: MemberOptions,
  around: Surroundings,
): Promise<void> {
  const last = await watchLeaving(world, leaver, options, around);
  one(world, leaver, last ? [last] : [], options, around);
}

function all(members: readonly LeavingAnswer[], print: Surroundings['print']): void {
  print.list(members.map(leavingView), {
    member: ({ member }) => member,
    stage: ({ stage }) => stage,
    since: ({ since }) => since,
    deadline: ({ deadline }) => deadline,
    events: ({ events }) => events,
    deleted: ({ answered }) => answered,
    overdue: ({ overdue }) => overdue,
    held: ({ held }) => held,
    owes: ({ owedEntries }) => owedEntries,
  });
}

function one(
  world: World,
  leaver: MemberId,
  members: readonly LeavingAnswer[],
  options: StatusOptions,
  around: Surroundings,
): void {
  const { print } = around;
  // it stands once, unless somebody ordered its leaving again before it was approved
  const [shown] = members;
  if (!shown) {
    print.answer({ member: leaver, stage: 'MEMBER' }, () => [
      'MEMBER, nobody has ordered its leaving',
    ]);
    return;
  }
  tell(world, shown, options, around);
}

/** All that is known of one member, and what comes next. */
function tell(
  world: World,
  shown: LeavingAnswer,
  options: MemberOptions,
  { print }: Pick<Surroundings, 'print'>,
): void {
  const view = leavingView(shown);
  const since = view.since === '' ? '' : ` since ${view.since}`;
  print.progress(
    `${shown.member}: ${shown.stage}${since}, reason ${shown.reason}, deadline ${view.deadline}`,
  );
  if (shown.lastError !== '') print.progress(`last error: ${shown.lastError}`);
  print.answer(view, () => [standingText(shown), ...view.owed.map(owedLine)]);
  print.progress(nextText(shown, options, world));
}

function nextText(shown: LeavingAnswer, options: MemberOptions, world: World): string {
  const { member, stage, orderId, owed } = shown;
  const same = sameMember(options, world);
  if (stage === 'AWAITING_APPROVAL') return approveText(orderId, options, world);
  const silent = owed.find(({ state }) => state === 'DEFAULTED');
  if (silent) {
    const notice = `concordat purge notice ${silent.orderId} --holder ${member}${same}`;
    return `its silence is signed, and the list stays until it answers\nnext  ${notice}`;
  }
  if (owed.length > 0) return `next  concordat member status ${member} --watch${same}`;
  if (stage === 'LEFT')
    return 'it has answered for everything: concordat purge status names the orders';
  return `next  concordat member status ${member} --watch${same}`;
}
