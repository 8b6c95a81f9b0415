import type { Command } from 'commander';
import { MEMBER_SERVICES, type MemberService } from '../domain/service-environment.js';
import { homeSettings, memberIn, readFederationOf } from '../io/home.js';
import { type ServiceProcess, mainOf, runServices } from '../io/run-service.js';
import {
  type BrokerOptions,
  type MemberOptions,
  asMember,
  memberArgument,
  onBroker,
  surroundings,
} from './options.js';
import { addLeavingCommands } from './member.js';
import { addBackupCommands } from './node-backup.js';
import { addEraseMediaCommand } from './node-erase-media.js';
import { type StartOptions, environmentFor, environmentOf } from './service-settings.js';
import { profileOf } from './topic.js';
import type { World } from './world.js';

const ABOUT: Record<MemberService, string> = {
  node: "a member's edge: publishes, receives, serves readers",
  consent: 'decides what each recipient may have',
  revocation: 'takes back what was released, and proves it',
};

export function addServiceCommands(program: Command, world: World): void {
  for (const service of MEMBER_SERVICES) {
    const noun = program.command(service).description(ABOUT[service]);
    if (service === 'node') {
      addBackupCommands(noun, world);
      addEraseMediaCommand(noun, world);
    }
    const start = noun
      .command('start')
      .description(`run ${service} from a home, or from CONCORDAT_* settings when none is named`);
    onBroker(start, world)
      .option('--home <dir>', 'directory of the federation', world.settings.home)
      .option('--member <id>', 'for whom (CONCORDAT_MEMBER)', memberArgument, world.settings.member)
      .action(async (options: StartOptions) => startOne(world, service, options));
  }
  const member = program
    .command('member')
    .description('a member with all its services; who leaves the circle of partners');
  addLeavingCommands(member, world);
  const all = member
    .command('start')
    .description('run every service that the federation file lists for the member');
  asMember(onBroker(all, world), world).action(
    async (options: MemberOptions & BrokerOptions, command: Command) =>
      startMember(world, options, command),
  );
}

async function startOne(
  world: World,
  service: MemberService,
  options: StartOptions,
): Promise<void> {
  const env = await environmentFor(world, service, options);
  world.finish(
    await runServices([{ service, main: mainOf(service), env }], { stop: world.interruption() }),
  );
}

async function startMember(
  world: World,
  options: MemberOptions & BrokerOptions,
  command: Command,
): Promise<void> {
  const { print } = surroundings(world, command);
  const { home, brokers } = options;
  const member = memberIn(await readFederationOf(home), options.member);
  const services = MEMBER_SERVICES.filter((service) => member.services[service] !== undefined);
  const profile = profileOf(options.profile);
  const processes = services.map((service): ServiceProcess => {
    const settings = homeSettings({ home, member, service, brokers, profile });
    return { service, main: mainOf(service), env: environmentOf(world, settings) };
  });
  print.progress(`${member.id}: starting ${services.join(', ')}; Ctrl-C stops them`);
  const onLine = (service: MemberService, line: string): void =>
    world.err(`${member.id}-${service} ${line}\n`);
  world.finish(await runServices(processes, { stop: world.interruption(), onLine }));
}
