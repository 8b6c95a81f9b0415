import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import { type Command, Option } from 'commander';
import { MEMBER_SERVICES, type MemberService } from '../domain/service-environment.js';
import { problemsOfService } from '../io/check-service.js';
import { memberIn, readFederationOf } from '../io/home.js';
import { type BrokerOptions, memberArgument, onBroker, surroundings } from './options.js';
import { environmentFor } from './service-settings.js';
import { addReloadCommand } from './config-reload.js';
import type { World } from './world.js';

interface CheckOptions extends BrokerOptions {
  readonly home?: string;
  readonly member?: MemberId;
  readonly service?: MemberService;
}
interface Checked {
  readonly member: string;
  readonly service: MemberService;
  readonly problems: readonly string[];
}

export function addConfigCommands(program: Command, world: World): void {
  const config = program.command('config').description('settings of the services');
  addReloadCommand(config, world);
  const check = config
    .command('check')
    .description('name every problem of a home, or of CONCORDAT_* settings, and start nothing');
  onBroker(check, world)
    .option('--home <dir>', 'directory of the federation', world.settings.home)
    .option('--member <id>', 'only this member', memberArgument, world.settings.member)
    .addOption(new Option('--service <name>', 'only this service').choices(MEMBER_SERVICES))
    .action(async (options: CheckOptions, command: Command) => checkAll(world, options, command));
}

async function checkAll(world: World, options: CheckOptions, command: Command): Promise<void> {
  const { print } = surroundings(world, command);
  const checked: Checked[] = [];
  for (const [member, service] of await servicesIn(options)) {
    const problems = await problemsOf(world, service, { ...options, ...(member && { member }) });
    checked.push({ member: member ?? 'settings', service, problems });
  }
  const lines = problemLines(checked);
  if (lines.length > 0) {
    throw new ConcordatError('CONFIG_INVALID', `${lines.length} problems:\n${lines.join('\n')}`);
  }
  print.list(checked, {
    member: ({ member }) => member,
    service: ({ service }) => service,
    problems: ({ problems }) => problems.length,
  });
}

/** One line for each problem, with all that have it: services share files. */
function problemLines(checked: readonly Checked[]): readonly string[] {
  const whose = new Map<string, string[]>();
  for (const { member, service, problems } of checked) {
    for (const problem of problems) {
      whose.set(problem, [...(whose.get(problem) ?? []), `${member}-${service}`]);
    }
  }
  return [...whose].map(([problem, names]) => `${names.join(', ')}: ${problem}`);
}

type Target = readonly [member: MemberId | undefined, service: MemberService];

async function servicesIn(options: CheckOptions): Promise<readonly Target[]> {
  const { home, member, service } = options;
  const wanted = service === undefined ? MEMBER_SERVICES : [service];
  if (home === undefined) return wanted.map((one): Target => [member, one]);
  const federation = await readFederationOf(home);
  const members = member === undefined ? federation.members : [memberIn(federation, member)];
  return members.flatMap(({ id, services }) =>
    wanted.filter((one) => services[one] !== undefined).map((one): Target => [id, one]),
  );
}

async function problemsOf(
  world: World,
  service: MemberService,
  options: CheckOptions,
): Promise<readonly string[]> {
  const env = await environmentFor(world, service, options);
  return problemsOfService(service, env, world.clock.nowMs());
}
