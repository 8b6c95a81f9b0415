import { copyFile, writeFile } from 'node:fs/promises';
import { parseFederationName } from '@concordat/common/domain/identity.js';
import { readPolicyFile } from '@concordat/common/io/policy-file.js';
import { type Command, InvalidArgumentError } from 'commander';
import { exampleAgreements } from '../domain/example-agreement.js';
import {
  type PlannedMember,
  parsePlannedMember,
  withEndpoints,
} from '../domain/federation-plan.js';
import { initFederation } from '../io/federation-init.js';
import { homeFiles } from '../io/home.js';
import { surroundings, wholeNumber } from './options.js';
import type { World } from './world.js';

interface InitOptions {
  readonly dir: string;
  readonly name: string;
  readonly member: readonly PlannedMember[];
  readonly portBase: number;
  readonly agreement?: string;
}

const PORT_BASE = 7100;
/** 256 members of ten ports each still end below 65,536. */
const PORT_BASE_MAX = 62_000;

function plannedMember(text: string, before: readonly PlannedMember[] = []): PlannedMember[] {
  const member = parsePlannedMember(text);
  if (member.ok) return [...before, member.value];
  throw new InvalidArgumentError('Expected a member id as un:origin (publishes) or de (receives).');
}

export function addFederationCommands(program: Command, world: World): void {
  program
    .command('federation')
    .description('the members of a federation, their keys and certificates')
    .command('init')
    .description('make a federation for one run: CA, certificates, keys, trust.json, agreements')
    .requiredOption('--dir <dir>', 'a directory without a federation; made if missing')
    .requiredOption('--name <name>', 'its name, of lower-case letters, digits and hyphens')
    .requiredOption('--member <id[:origin]>', 'a member; :origin publishes; repeat', plannedMember)
    .option(
      '--port-base <n>',
      'first port on the loopback; ten for each member',
      wholeNumber(1_024, PORT_BASE_MAX),
      PORT_BASE,
    )
    .option('--agreement <file>', 'agreements to start with (default: an example that permits all)')
    .action(async (options: InitOptions, command: Command) => init(world, options, command));
}

async function init(world: World, options: InitOptions, command: Command): Promise<void> {
  const { print } = surroundings(world, command);
  const name = parseFederationName(options.name);
  if (!name.ok) {
    throw new InvalidArgumentError('--name: expected lower-case letters, digits and hyphens.');
  }
  if (options.agreement !== undefined) readPolicyFile(options.agreement);
  const members = withEndpoints(options.member, options.portBase);
  const { clock, random } = world;
  const { dir } = options;
  await initFederation({ dir, federation: name.value, members, clock, random });
  const { agreementsFile } = homeFiles(dir);
  await writeAgreements(options, agreementsFile, world);
  print.progress(`${dir}: certificates for 30 days; the CA's own key is forgotten`);
  if (options.agreement === undefined) {
    print.progress(`${agreementsFile} is an example that permits everything: edit it before use`);
  }
  print.list(
    members.map(({ id, services }) => ({ member: id, ...services })),
    {
      member: ({ member }) => member,
      node: ({ node }) => node,
      consent: ({ consent }) => consent ?? '',
      revocation: ({ revocation }) => revocation ?? '',
    },
  );
  print.progress(`next  concordat broker start --dir ${dir}`);
}

async function writeAgreements(
  { agreement, member }: InitOptions,
  path: string,
  { clock }: World,
): Promise<void> {
  if (agreement !== undefined) {
    await copyFile(agreement, path);
    return;
  }
  const example = exampleAgreements(member, clock.nowMs());
  await writeFile(path, `${JSON.stringify(example, undefined, 2)}\n`, { mode: 0o600 });
}
