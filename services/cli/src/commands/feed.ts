import type { MemberId } from '@concordat/common/domain/ids.js';
import type { Command } from 'commander';
import { DOORS, withClient } from '../io/session.js';
import {
  type MemberOptions,
  asMember,
  memberArgument,
  surroundings,
  wholeNumber,
} from './options.js';
import type { World } from './world.js';

interface VoidOptions extends MemberOptions {
  readonly lane: number;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

export function addFeedCommands(program: Command, world: World): void {
  const feed = program.command('feed').description('what own consent sends to other members');
  asMember(feed.command('void'), world)
    .description(
      'sign that blocks of a feed will never come, so that a recipient at the gap goes on',
    )
    .argument('<recipient>', 'whose feed', memberArgument)
    .requiredOption(
      '--lane <n>',
      'the lane, the number after the / of the gap',
      wholeNumber(0, 1_000),
    )
    .requiredOption('--from <n>', 'the first missing number', wholeNumber(1, 999_999_999))
    .requiredOption('--to <n>', 'the last missing number', wholeNumber(1, 999_999_999))
    .requiredOption('--reason <text>', 'why they are gone; no personal data')
    .action(async (recipient: MemberId, options: VoidOptions, command: Command) => {
      const { print, call } = surroundings(world, command);
      const { lane, from: fromNumber, to: toNumber, reason } = options;
      const request = { recipient, lane, fromNumber, toNumber, reason };
      const { chain } = await withClient(options, DOORS.consent, (consent) =>
        consent.voidFeed(request, call),
      );
      print.facts({ chain, from: fromNumber, to: toNumber, reason });
      print.progress(`${recipient} goes on when it asks again, within 10 s`);
    });
}
