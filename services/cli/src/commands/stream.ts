import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import { TIMEOUT_MS_MAX } from '@concordat/common/io/rpc/client.js';
import type { Command } from 'commander';
import { timeText } from '../domain/time-text.js';
import { explanationOf } from '../domain/why-withheld.js';
import { readCursor, writeCursor } from '../io/cursor-file.js';
import { DOORS, withClient } from '../io/session.js';
import { isOnItsWay, untilThere } from '../io/until-there.js';
import {
  type HomeOptions,
  type MemberOptions,
  type Surroundings,
  asMember,
  atHome,
  eventArgument,
  memberArgument,
  surroundings,
  withWait,
} from './options.js';
import type { World } from './world.js';

interface TailOptions extends HomeOptions {
  readonly as: MemberId;
  readonly origin?: MemberId;
  readonly purpose: string;
  readonly case: string;
  readonly category: string;
  readonly held?: true;
  readonly cursorFile?: string;
}
interface ExplainOptions extends MemberOptions {
  readonly for: MemberId;
  readonly wait?: number;
}

export function addStreamCommands(program: Command, world: World): void {
  const stream = program.command('stream').description('what arrives, and why something does not');
  atHome(stream.command('tail'), world)
    .description('tell which events become readable or are withdrawn, until Ctrl-C; no content')
    .requiredOption('--as <member>', 'whose node to listen at', memberArgument)
    .requiredOption('--purpose <name>', 'only events released for this')
    .option('--case <number>', "the listener's own case number", '')
    .option('--origin <member>', 'only events of this origin', memberArgument)
    .option('--category <pattern>', 'listing.al-qaida.*, where * is a segment, ** the rest', '')
    .option('--held', 'begin with what is held already')
    .option('--cursor-file <file>', 'go on after the notice it names, and keep it up to date')
    .action(async (options: TailOptions, command: Command) =>
      tail(world, options, surroundings(world, command)),
    );
  const explainCommand = asMember(stream.command('explain'), world);
  withWait(explainCommand, 'try so long while nothing is decided yet')
    .description('why an own event was released to a member or withheld from it')
    .argument('<id>', 'an own event', eventArgument)
    .requiredOption('--for <member>', 'the recipient', memberArgument)
    .action(async (id: EventId, options: ExplainOptions, command: Command) =>
      explain(world, id, options, surroundings(world, command)),
    );
}

async function tail(
  world: World,
  options: TailOptions,
  { print, patienceMs = TIMEOUT_MS_MAX }: Surroundings,
): Promise<void> {
  const signal = world.interruption();
  const { cursorFile } = options;
  const request = {
    purpose: options.purpose,
    caseId: options.case,
    category: options.category,
    includeHeld: options.held === true,
    cursor: cursorFile === undefined ? '' : await readCursor(cursorFile),
    systemId: '',
  };
  const { home, as: member, origin } = options;
  const timeoutMs = Math.min(patienceMs, TIMEOUT_MS_MAX);
  await withClient({ home, member }, DOORS.national, async (node) => {
    print.progress(`listening at ${member}; Ctrl-C ends it`);
    try {
      for await (const notice of node.subscribe(request, { timeoutMs, signal })) {
        if (origin === undefined || notice.origin === origin) {
          const at = timeText(world.clock.nowMs());
          const { kind, eventId, category } = notice;
          print.line(
            { at, ...notice },
            `${at}  ${kind.padEnd(9)}  ${notice.origin.padEnd(8)}  ${eventId}  ${category}`,
          );
        }
        // after the line: when this program is killed in between, the notice comes again rather than never
        if (cursorFile !== undefined) await writeCursor(cursorFile, notice.cursor);
      }
    } catch (cause) {
      if (!(cause instanceof ConcordatError && isOver(cause))) throw cause;
    }
  });
}

/** A listener that was told to stop, or to stop after a while, has done what it was asked. */
function isOver({ code }: ConcordatError): boolean {
  return code === 'CALL_CANCELLED' || code === 'DEADLINE_EXCEEDED';
}

async function explain(
  world: World,
  eventId: EventId,
  options: ExplainOptions,
  { print, call }: Surroundings,
): Promise<void> {
  const { for: recipient, wait = 0 } = options;
  const answer = await withClient(options, DOORS.consent, (consent) =>
    untilThere(world.clock, wait, isOnItsWay, () => consent.explain({ eventId, recipient }, call)),
  );
  const { agreementId, agreementVersion, deleteByMs, decidedAtMs, ...decided } = answer;
  const why = explanationOf(decided.reason);
  print.facts({
    event: eventId,
    recipient,
    outcome: decided.outcome,
    reason: decided.reason,
    because: why?.because ?? '',
    change: why?.change ?? '',
    rule: decided.ruleId,
    agreement: agreementId === '' ? '' : `${agreementId} v${agreementVersion}`,
    policy: decided.policyVersion,
    facts: decided.policyChanged ? ['agreements or consents have changed since'] : decided.facts,
    category: decided.category,
    sections: decided.sections,
    purposes: decided.purposes,
    deleteBy: timeText(deleteByMs),
    decidedAt: timeText(decidedAtMs),
  });
}
