import type { Command } from 'commander';
import { memberIn, readFederationOf } from '../io/home.js';
import { DOORS, withClient } from '../io/session.js';
import { type MemberOptions, asMember, sameMember, surroundings } from './options.js';
import type { World } from './world.js';

export function addReloadCommand(config: Command, world: World): void {
  asMember(config.command('reload'), world)
    .description('have node and consent read the agreements file again, the node first')
    .action(async (options: MemberOptions, command: Command) => {
      const { print, call } = surroundings(world, command);
      const { standing } = await withClient(options, DOORS.operator, (node) =>
        node.reloadPolicy({}, call),
      );
      print.progress('node: the file is in force, and no key leaves against it');
      const { services } = memberIn(await readFederationOf(options.home), options.member);
      const consent = services.consent
        ? await withClient(options, DOORS.consent, (one) => one.reloadPolicy({}, call))
        : undefined;
      if (consent) print.progress('consent: the file is in force');
      print.facts({ standing, ...(consent && { policyVersion: consent.policyVersion }) });
      print.progress(
        `next  concordat purge scope${sameMember(options, world)}  what it takes back from whom`,
      );
    });
}
