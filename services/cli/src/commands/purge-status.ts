import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { OrderId } from '@concordat/common/domain/ids.js';
import { type ClientOf, TIMEOUT_MS_MAX } from '@concordat/common/io/rpc/client.js';
import type { PurgeService } from '@concordat/common/io/rpc/definitions.js';
import type { Command } from 'commander';
import { durationText } from '../domain/duration.js';
import { EXIT } from '../domain/exit-code.js';
import {
  type OrderAnswer,
  isDone,
  mediaText,
  openText,
  orderExit,
  orderView,
  silenceText,
} from '../domain/purge-progress.js';
import { partIds } from '../domain/purge-plan.js';
import { together } from '../domain/purge-parts.js';
import { ordersOf } from '../io/orders-of.js';
import { DOORS, withClient } from '../io/session.js';
import { type WatchEnd, watchOrder } from '../io/watch-order.js';
import {
  type MemberOptions,
  type Surroundings,
  asMember,
  orderArgument,
  sameMember,
  surroundings,
  usageError,
} from './options.js';
import type { World } from './world.js';

interface StatusOptions extends MemberOptions {
  readonly watch?: true;
}

const LOOK_EVERY_MS = 1_000;

/** The exit code of a shell whose command was interrupted at the keyboard. */
export const INTERRUPTED = 130;

export function addStatusOfPurges(purge: Command, world: World): void {
  asMember(purge.command('status'), world)
    .description(
      'where orders stand; of one order, every holder; exit code 7 while some are open, 3 if refused',
    )
    .argument(
      '[order]',
      'an order, or the first one of a purge; without it the newest of all',
      orderArgument,
    )
    .option('--watch', 'go on until it is closed or overdue; may be interrupted and taken up again')
    .action(async (orderId: OrderId | undefined, options: StatusOptions, command: Command) => {
      const around = surroundings(world, command);
      if (orderId === undefined) await all(options, around);
      else if (options.watch) await watchToEnd(world, orderId, options, around);
      else await one(world, orderId, options, around);
    });
}

async function all(options: StatusOptions, { print, call }: Surroundings): Promise<void> {
  if (options.watch) throw usageError('--watch: expected an order to watch, came none');
  const { orders } = await withClient(options, DOORS.purge, (revocation) =>
    revocation.list({}, call),
  );
  print.list(orders.map(orderView), {
    order: ({ orderId }) => orderId,
    state: ({ state, overdue }) => (overdue ? `${state}, overdue` : state),
    reason: ({ reason }) => reason,
    holders: ({ holders }) => {
      const answered = holders.filter(isDone);
      return `${answered.length} of ${holders.length} answered`;
    },
    'ordered at': ({ orderedAt }) => orderedAt,
    deadline: ({ deadline }) => deadline,
  });
}

async function one(
  world: World,
  orderId: OrderId,
  options: StatusOptions,
  { print, call }: Surroundings,
): Promise<void> {
  const order = await withClient(options, DOORS.purge, async (revocation) => {
    const orders = await ordersOf(revocation, orderId, call);
    // of a single one the events are named too
    return orders.length > 1 ? together(orders) : revocation.status({ orderId }, call);
  });
  if (!order) throw new TypeError('expected the orders of a purge');
  show(order, print);
  if (order.state === 'AWAITING_APPROVAL') tellApproval(orderId, options, { print }, world);
  world.finish(orderExit(order));
}

function tellApproval(
  orderId: OrderId,
  options: MemberOptions,
  { print }: Pick<Surroundings, 'print'>,
  world: World,
): void {
  const command = `concordat purge approve ${orderId} --as KEY${sameMember(options, world)}`;
  print.progress(`next  another person: ${command}`);
}

/** A single order as its service tells of it; the orders of a purge once a second, with one question for all. */
async function* followPurge(
  world: World,
  revocation: ClientOf<typeof PurgeService>,
  orderId: OrderId,
  { signal, timeoutMs }: { readonly signal: AbortSignal; readonly timeoutMs: number },
): AsyncGenerator<OrderAnswer> {
  const ask = async (orderIds: string[]) =>
    (await revocation.statusOfMany({ orderIds }, { timeoutMs, signal })).orders;
  let parts = await ask(partIds(orderId));
  if (parts.length < 2) {
    yield* revocation.watchStatus({ orderId }, { timeoutMs, signal });
    return;
  }
  for (;;) {
    const all = together(parts);
    if (all) yield all;
    await world.clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
    parts = await ask(parts.map((part) => part.orderId));
  }
}

function show(order: OrderAnswer, print: Surroundings['print']): void {
  const { holders, ...rest } = orderView(order);
  print.progress(
    `${order.orderId}: ${rest.state}, reason ${rest.reason}, events: ${order.eventCount}, deadline ${rest.deadline}`,
  );
  if (rest.lastError !== '') print.progress(`last error: ${rest.lastError}`);
  print.answer({ ...rest, holders }, () =>
    holders.length === 0
      ? [order.eventCount === 0 ? 'a member leaves: see member status' : 'nobody held it']
      : holders.map(({ member, state, answeredAt, afterMs, ...holder }) =>
          [
            ...[member.padEnd(8), state.padEnd(9), answeredAt, after(afterMs)],
            ...[openText(holder), silenceText(holder), mediaText(holder)],
          ]
            .filter((text) => text !== '')
            .join('  ')
            .trimEnd(),
        ),
  );
}

function after(ms: number | null): string {
  return ms === null ? '' : `after ${durationText(ms)}`;
}

/** Follows an order, a line for each change, and shows where it stands at the end. */
export async function watchToEnd(
  world: World,
  orderId: OrderId,
  options: MemberOptions,
  { print, patienceMs }: Surroundings,
): Promise<Exclude<WatchEnd, 'late'>> {
  const timeoutMs = Math.min(patienceMs ?? TIMEOUT_MS_MAX, TIMEOUT_MS_MAX);
  const stop = world.interruption();
  const startMs = world.clock.monotonicMs();
  const { end, order } = await withClient(options, DOORS.purge, (revocation) =>
    watchOrder({
      clock: world.clock,
      follow: (signal) => followPurge(world, revocation, orderId, { timeoutMs, signal }),
      onChange: (name, state) => {
        if (state.startsWith('AWAITING_APPROVAL')) tellApproval(orderId, options, { print }, world);
        const passed = durationText(world.clock.monotonicMs() - startMs);
        print.progress(`${passed.padStart(8)}  ${name.padEnd(10)} ${state}`);
      },
      patienceMs,
      stop,
    }),
  );
  if (order) show(order, print);
  if (end !== 'closed' && end !== 'refused') {
    print.progress(
      `resume  concordat purge status ${orderId} --watch${sameMember(options, world)}`,
    );
  }
  if (end === 'late') {
    const text = `the order is ${order?.state ?? 'unknown'} after ${durationText(patienceMs ?? 0)}`;
    throw new ConcordatError('DEADLINE_EXCEEDED', text);
  }
  world.finish(
    {
      closed: EXIT.done,
      refused: EXIT.refused,
      overdue: EXIT.partlyDone,
      stopped: INTERRUPTED,
    }[end],
  );
  return end;
}
