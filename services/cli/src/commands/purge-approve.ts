import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId, OrderId } from '@concordat/common/domain/ids.js';
import { isLeave } from '@concordat/common/domain/purge-order.js';
import type { Command } from 'commander';
import { leaveQuestion } from '../domain/member-progress.js';
import { planPurge } from '../domain/purge-plan.js';
import { timeText } from '../domain/time-text.js';
import { ordersOf } from '../io/orders-of.js';
import { DOORS, withClient } from '../io/session.js';
import { readSignedOrder, signApprovals } from '../io/sign-order.js';
import { confirm } from './confirm.js';
import { findEvents } from './find-events.js';
import { countGivenTo } from './member.js';
import {
  type MemberOptions,
  type Surroundings,
  asMember,
  orderArgument,
  sameMember,
  surroundings,
} from './options.js';
import { selectorOf } from './selector-options.js';
import type { World } from './world.js';

interface ApproveOptions extends MemberOptions {
  readonly as: string;
  readonly yes?: true;
}

export function addApproveCommand(purge: Command, world: World): void {
  asMember(purge.command('approve'), world)
    .description('approve an order of another person that waits for a second one')
    .argument('<order>', 'an order, or the first one of a purge', orderArgument)
    .requiredOption('--as <key>', 'whose key signs: the name of a key of the home, or a file')
    .option('--yes', 'do not ask')
    .action(async (orderId: OrderId, options: ApproveOptions, command: Command) =>
      approve(world, orderId, options, surroundings(world, command)),
    );
}

async function approve(
  world: World,
  first: OrderId,
  options: ApproveOptions,
  around: Surroundings,
): Promise<void> {
  const { print, call } = around;
  const waiting = await waitingOrders(first, options, around);
  const orders = await withClient(options, DOORS.purge, (revocation) =>
    Promise.all(
      waiting.map(async (orderId) => {
        const { order } = await revocation.signedOrder({ orderId }, call);
        return readSignedOrder(options, Uint8Array.from(order));
      }),
    ),
  );
  const [shown] = orders;
  if (!shown) throw new TypeError('expected an order that waits');
  const { reason, deadlineMs, recipients } = shown.value;
  const [leaver] = isLeave(shown.value) ? recipients : [];
  const by = `reason ${reason}, deadline ${timeText(deadlineMs)}, ordered by ${shown.key.person ?? shown.key.keyId}`;
  if (leaver === undefined) {
    const ids = orders.flatMap(({ value }) => value.ids);
    print.progress(`orders: ${orders.length}, events: ${ids.length}, ${by}`);
    await showHolders(ids, options, around);
    await confirm(world, `Approve the purge of ${ids.length} events?`, options, around);
  } else {
    print.progress(`${leaver} leaves, ${by}`);
    const events = await countGivenTo(leaver, options, around);
    await confirm(world, leaveQuestion(leaver, events), options, around);
  }
  const { home, member, as } = options;
  const approvals = await signApprovals(world, { home, member, as, orders });
  const answers = await withClient(options, DOORS.purge, async (revocation) => {
    const given = [];
    for (const approval of approvals) given.push(await revocation.approve({ approval }, call));
    return given;
  });
  print.list(answers, {
    order: ({ orderId }) => orderId,
    state: ({ state }) => state,
    approvals: ({ approvals: count, approvalsNeeded }) => `${count} of ${approvalsNeeded}`,
    problem: ({ lastError }) => lastError,
  });
  const status = leaver === undefined ? `purge status ${first}` : `member status ${leaver}`;
  print.progress(`next  concordat ${status} --watch${sameMember(options, world)}`);
}

async function showHolders(
  ids: readonly EventId[],
  options: ApproveOptions,
  around: Surroundings,
): Promise<void> {
  const { print } = around;
  const found = await findEvents(selectorOf(ids, {}), options, around);
  const { holders } = planPurge(found.free, found.approvalsAbove);
  for (const { member, events } of holders) print.progress(`${member.padEnd(8)}  ${events}`);
  const gone = found.ordered + found.takenBack.length;
  if (gone > 0) {
    print.progress(
      `warning: ${gone} of them are taken back or ordered already: it will be refused`,
    );
  }
}

/** Of one purge, those that wait for a second person. */
async function waitingOrders(
  first: OrderId,
  options: ApproveOptions,
  { call }: Surroundings,
): Promise<string[]> {
  const orders = await withClient(options, DOORS.purge, (revocation) =>
    ordersOf(revocation, first, call),
  );
  const waiting = orders.filter(({ state }) => state === 'AWAITING_APPROVAL');
  if (waiting.length > 0) return waiting.map(({ orderId }) => orderId);
  const states = [...new Set(orders.map(({ state }) => state))].join(', ');
  const text = `expected an order that waits for an approval, this one is ${states}`;
  throw new ConcordatError('APPROVAL_INVALID', text);
}
