import { amendmentOf } from '@concordat/cli/domain/amendment.js';
import { errorLines } from '@concordat/cli/domain/error-lines.js';
import { exitCodeOf } from '@concordat/cli/domain/exit-code.js';
import { openedLines, openedView } from '@concordat/cli/domain/opened-event.js';
import { planPurge } from '@concordat/cli/domain/purge-plan.js';
import { explanationOf } from '@concordat/cli/domain/why-withheld.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import {
  ConsentService,
  NationalService,
  OperatorService,
} from '@concordat/common/io/rpc/definitions.js';
import type { BookedEvent } from '../../world/book.js';
import { MEMBERS } from '../../world/federation.js';
import { PURPOSES } from '../../world/policy.js';
import type { World } from '../../world/world.js';
import type { Actor } from '../actor.js';
import { SOON, attempt } from '../attempt.js';

/** Somebody at the command line: reads events, asks why they went where, and what a purge would take. */
export const readingDesk: Actor = {
  name: 'reads and asks why',
  weight: 1,
  act: async (world, draw) => {
    const known = [...world.book.events.values()];
    if (known.length === 0) return;
    const event = draw.pick(known);
    const reader = draw.pick(MEMBERS);
    await read(world, reader, event, draw.pick([...PURPOSES, 'curiosity']));
    const recipient = draw.pick(MEMBERS);
    const consent = world.client(ConsentService, event.origin, 'consent', 'operator');
    const why = await attempt(consent.explain({ eventId: event.id, recipient }, SOON));
    const because = why.ok ? explanationOf(why.value.reason)?.because : why.code;
    world.scheduler.note(`desk: ${event.id} to ${recipient}: ${because ?? 'released'}`);
    await preview(world, event);
  },
};

async function read(
  world: World,
  reader: BookedEvent['origin'],
  { origin, id }: BookedEvent,
  purpose: string,
): Promise<void> {
  const node = world.client(NationalService, reader, 'node', 'system');
  const request = { origin, eventId: id, purpose, caseId: 'desk-1' };
  try {
    const lines = openedLines(openedView(await node.read(request, SOON)));
    world.scheduler.note(`desk of ${reader}: reads ${id}, ${String(lines.length)} lines`);
  } catch (cause) {
    if (!(cause instanceof ConcordatError)) throw cause;
    const [first = ''] = errorLines(cause, undefined);
    world.scheduler.note(
      `desk of ${reader}: ${first}, exit code ${String(exitCodeOf(cause.code))}`,
    );
  }
}

/** Whom a purge of it would reach, and what an amendment of it would say. */
async function preview(world: World, { origin, id }: BookedEvent): Promise<void> {
  const node = world.client(OperatorService, origin, 'node', 'operator');
  const held = await attempt(node.holders({ eventId: id }, SOON));
  if (!held.ok) return;
  const holders = held.value.holders.map(({ member }) => member);
  const plan = planPurge([{ ids: [id], holders }], world.settings.approvalsAbove);
  const shown = await attempt(node.show({ origin, eventId: id }, SOON));
  const change =
    shown.ok && amendmentOf(id, shown.value, { legalBasis: 'as corrected', tlp: 'RED' });
  const amends = change && change.ok ? 'may be amended' : 'may not be amended';
  world.scheduler.note(`desk: ${id} ${String(plan.holders.length)} holders, ${amends}`);
}
