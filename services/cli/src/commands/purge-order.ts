import { ConcordatError, asConcordatError } from '@concordat/common/domain/errors.js';
import { isName } from '@concordat/common/domain/header.js';
import type { EventId, MemberId, OrderId } from '@concordat/common/domain/ids.js';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { EXIT } from '../domain/exit-code.js';
import { OFFICER_REASONS, type OfficerReason } from '../domain/purge-order.js';
import { type PurgePlan, partId, planPurge } from '../domain/purge-plan.js';
import { newOrderId } from '../io/new-id.js';
import { DOORS, withClient } from '../io/session.js';
import { signOrders } from '../io/sign-order.js';
import { forgetUnplaced, keepUnplaced, readUnplaced } from '../io/unplaced-orders.js';
import { CONFIRM_ABOVE, confirm } from './confirm.js';
import { type FoundEvents, findEvents } from './find-events.js';
import {
  type MemberOptions,
  type Surroundings,
  asMember,
  durationArgument,
  membersArgument,
  orderArgument,
  sameMember,
  surroundings,
  textsArgument,
  usageError,
} from './options.js';
import { INTERRUPTED, watchToEnd } from './purge-status.js';
import { type SelectorOptions, isSelecting, selectorOf, withSelector } from './selector-options.js';
import type { World } from './world.js';

type PreviewOptions = MemberOptions & SelectorOptions;

interface OrderOptions extends PreviewOptions {
  readonly reason?: OfficerReason;
  readonly deadline: number;
  readonly recipient?: readonly MemberId[];
  readonly section?: readonly string[];
  readonly as?: string;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly watch?: true;
  readonly resume?: OrderId;
}

const DAY_MS = 86_400_000;

function sectionsArgument(text: string, before: readonly string[] = []): string[] {
  const names = textsArgument(text);
  if (names.every(isName)) return [...before, ...names];
  throw new InvalidArgumentError('Expected names of sections, of lower-case letters.');
}

export function addOrderCommands(purge: Command, world: World): void {
  withSelector(asMember(purge.command('preview'), world))
    .description(
      'whom a purge would reach, and how many orders and people it takes; orders nothing',
    )
    .action(async (ids: readonly EventId[], options: PreviewOptions, command: Command) =>
      preview(ids, options, surroundings(world, command)),
    );
  withSelector(asMember(purge.command('order'), world))
    .description("order the purge of own events, signed with a purge officer's key of the home")
    .addOption(new Option('--reason <reason>', 'why').choices(OFFICER_REASONS))
    .addOption(
      new Option('--deadline <duration>', 'until when every holder must have answered')
        .argParser(durationArgument)
        .default(DAY_MS, '24h'),
    )
    .option('--recipient <member>', 'only at this member; others keep it', membersArgument)
    .option('--section <name>', 'only this section; the rest stays', sectionsArgument)
    .option('--as <key>', 'which purge officer signs: the name of a key of the home, or a file')
    .option('--dry-run', 'show whom it would reach; order nothing')
    .option('--yes', `do not ask, however many events (else above ${CONFIRM_ABOVE})`)
    .option('--watch', 'wait until every holder has answered, a line for each')
    .option('--resume <order>', 'hand in the rest of a purge that was interrupted', orderArgument)
    .addHelpText(
      'after',
      '\nCtrl-C stops the waiting, not the order. Exit codes: see purge status.',
    )
    .action(async (ids: readonly EventId[], options: OrderOptions, command: Command) => {
      const around = surroundings(world, command);
      if (options.dryRun) await preview(ids, withRecipient(options), around);
      else if (options.resume !== undefined) await resume(world, options.resume, options, around);
      else await order(world, ids, options, around);
    });
}

/** At some members only: who else holds an event does not matter. */
function withRecipient(options: OrderOptions): OrderOptions {
  const { recipient, heldBy = recipient } = options;
  return heldBy === undefined ? options : { ...options, heldBy };
}

async function preview(
  ids: readonly EventId[],
  options: PreviewOptions,
  around: Surroundings,
): Promise<void> {
  const { print } = around;
  const found = await findEvents(selectorOf(ids, options), options, around);
  const plan = planPurge(found.free, found.approvalsAbove);
  const { events, orders, holders, needsSecondPerson, heldByNobody } = plan;
  warn(found, around);
  print.answer(
    {
      ...{ events, orders: orders.length, needsSecondPerson, heldByNobody },
      ...{ takenBack: found.takenBack.length, ordered: found.ordered, holders },
    },
    () => [
      ...holders.map((one) => `${one.member.padEnd(8)}  ${one.events}`),
      ...(heldByNobody > 0 ? [`nobody    ${heldByNobody}`] : []),
    ],
  );
  print.progress(`${planText(plan)}; a dry run, nothing is ordered`);
}

function planText({ events, holders, orders, needsSecondPerson }: PurgePlan): string {
  const more = needsSecondPerson ? ', a second person has to approve' : '';
  return `events: ${events}, holders: ${holders.length}, orders: ${orders.length}${more}`;
}

function warn(found: FoundEvents, { print }: Surroundings): void {
  const { takenBack, ordered, releasesWithoutAgreement } = found;
  if (takenBack.length > 0) print.progress(`taken back already: ${takenBack.length}`);
  if (ordered > 0) print.progress(`an order covers already: ${ordered}`);
  if (releasesWithoutAgreement > 0) {
    print.progress(
      `warning: of ${releasesWithoutAgreement} releases nobody knows the agreement any more; look at their holders with --held-by`,
    );
  }
}

async function order(
  world: World,
  ids: readonly EventId[],
  given: OrderOptions,
  around: Surroundings,
): Promise<void> {
  const options = withRecipient(given);
  const { home, member, reason, deadline: deadlineMs, as, recipient = [], section = [] } = options;
  if (reason === undefined) throw usageError(`--reason: expected ${OFFICER_REASONS.join(', ')}`);
  if (!isSelecting(ids, options)) throw usageError('expected events, or an option that says which');
  const found = await findEvents(selectorOf(ids, options), options, around);
  const plan = planPurge(found.free, found.approvalsAbove);
  demandSome(ids, found, plan);
  warn(found, around);
  around.print.progress(planText(plan));
  if (plan.events > CONFIRM_ABOVE) {
    await confirm(world, `Take back ${plan.events} events for ${reason}?`, options, around);
  }
  const first = newOrderId(world);
  const signed = await signOrders(world, {
    ...{ home, member, as, reason, deadlineMs },
    orders: plan.orders.map((some, part) => ({ orderId: partId(first, part), ids: some })),
    cover: { recipients: recipient, sections: section },
  });
  if (signed.length > 1) await keepUnplaced(options, first, signed);
  if (await placeAll(world, { first, signed }, options, around)) {
    await handedIn(world, first, options, around);
  }
}

/** Of what is named by id, all or nothing is ordered. */
function demandSome(ids: readonly EventId[], found: FoundEvents, plan: PurgePlan): void {
  const gone = found.takenBack.length + found.ordered;
  if (ids.length > 0 && gone > 0) {
    const text = `expected events that no order covers yet, came ${gone} of ${ids.length} that one covers`;
    throw new ConcordatError('ORDER_INVALID', text);
  }
  if (plan.events > 0) return;
  throw new ConcordatError(
    'EVENT_UNKNOWN',
    'expected own events that can be taken back, found none',
  );
}

async function resume(
  world: World,
  first: OrderId,
  options: OrderOptions,
  around: Surroundings,
): Promise<void> {
  const signed = await readUnplaced(options, first);
  if (await placeAll(world, { first, signed }, options, around)) {
    await handedIn(world, first, options, around);
  }
}

/** Hands in one order after the other; the same again changes nothing. @returns false when it was interrupted */
async function placeAll(
  world: World,
  { first, signed }: { readonly first: OrderId; readonly signed: readonly Uint8Array[] },
  options: OrderOptions,
  { print, call }: Surroundings,
): Promise<boolean> {
  const stop = signed.length > 1 ? world.interruption() : undefined;
  const refused: ConcordatError[] = [];
  let placed = 0;
  try {
    await withClient(options, DOORS.purge, async (revocation) => {
      for (const bytes of signed) {
        if (stop?.aborted) return;
        try {
          await revocation.order({ order: bytes }, call);
        } catch (cause) {
          const error = asConcordatError(cause);
          if (error.retryable || signed.length === 1) throw error;
          refused.push(error);
        }
        placed += 1;
        if (placed % 10 === 0) print.progress(`handed in: ${placed} of ${signed.length} orders`);
      }
    });
  } finally {
    if (placed < signed.length && signed.length > 1) {
      const again = `concordat purge order --resume ${first}${sameMember(options, world)}`;
      print.progress(`handed in: ${placed} of ${signed.length} orders\nresume  ${again}`);
    }
  }
  if (placed < signed.length) {
    world.finish(INTERRUPTED);
    return false;
  }
  await forgetUnplaced(options, first);
  const [problem] = refused;
  if (problem && refused.length === signed.length) throw problem;
  if (problem) {
    print.progress(
      `warning: ${refused.length} of ${signed.length} orders were refused (${problem.code}: ${problem.message}); order the rest again`,
    );
    world.finish(EXIT.partlyDone);
  }
  return true;
}

async function handedIn(
  world: World,
  first: OrderId,
  options: OrderOptions,
  around: Surroundings,
): Promise<void> {
  const { print } = around;
  if (options.watch) {
    print.progress(`ordered as ${first}`);
    await watchToEnd(world, first, options, around);
    return;
  }
  print.answer({ orderId: first }, () => [first]);
  print.progress(`next  concordat purge status ${first} --watch${sameMember(options, world)}`);
}
