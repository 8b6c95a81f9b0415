import type { Profile, TopicFinding } from '@concordat/common/domain/topics.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { openTopicAdmin } from '@concordat/common/io/kafka/topic-admin.js';
import type { Command } from 'commander';
import { membershipOf } from '../domain/federation-plan.js';
import { readFederationOf } from '../io/home.js';
import type { Printer } from '../io/print.js';
import { untilThere } from '../io/until-there.js';
import { type BrokerOptions, onBroker, surroundings, withWait } from './options.js';
import type { World } from './world.js';

interface TopicOptions extends BrokerOptions {
  readonly federationDir: string;
  readonly wait?: number;
}

const VERBS = {
  plan: 'compare the topics of a federation with the broker; changes nothing',
  apply: 'create the topics that are missing; a difference is left to people',
} as const;
type Verb = keyof typeof VERBS;

export function addTopicCommands(program: Command, world: World): void {
  const topic = program.command('topic').description('the topics of a federation, as data');
  for (const verb of ['plan', 'apply'] as const) {
    const one = onBroker(topic.command(verb).description(VERBS[verb]), world);
    withWait(one, 'try so long while no broker answers')
      .option('--federation-dir <dir>', 'where federation.json is', world.settings.home ?? '.')
      .action(async (options: TopicOptions, command: Command) =>
        compare(world, verb, options, command),
      );
  }
}

export function profileOf(name: string): Profile {
  if (name === 'demo' || name === 'production') return name;
  throw new ConcordatError(
    'CONFIG_INVALID',
    '--profile (CONCORDAT_PROFILE): expected production or demo, came another text',
  );
}

async function compare(
  world: World,
  verb: Verb,
  options: TopicOptions,
  command: Command,
): Promise<void> {
  const { print } = surroundings(world, command);
  const membership = membershipOf(await readFederationOf(options.federationDir));
  const profile = profileOf(options.profile);
  const { clock, random } = world;
  const brokers = options.brokers.split(',');
  const admin = await openTopicAdmin({ brokers, clientId: 'concordat', clock, random });
  try {
    const findings = await untilThere(clock, options.wait ?? 0, isBrokerAway, () =>
      admin[verb](membership, profile),
    );
    report(print, findings);
    conclude(print, verb, findings);
  } finally {
    await admin.close();
  }
}

function isBrokerAway({ code }: ConcordatError): boolean {
  return code === 'BROKER_UNAVAILABLE';
}

function report(print: Printer, findings: readonly TopicFinding[]): void {
  print.list(findings, {
    finding: ({ kind }) => kind,
    topic: ({ topic }) => topic,
    detail: (finding) => detail(finding),
  });
}

function detail(finding: TopicFinding): string {
  if (finding.kind === 'create') {
    return `${finding.wanted.lanes} lanes, ${finding.wanted.replication} copies`;
  }
  if (finding.kind === 'ok') return '';
  return `${finding.setting} should be ${finding.expected}, is ${finding.got}`;
}

function conclude(print: Printer, verb: Verb, findings: readonly TopicFinding[]): void {
  const missing = findings.filter(({ kind }) => kind === 'create').length;
  const differing = findings.filter(({ kind }) => kind === 'differs').length;
  if (differing > 0) {
    const text = `${differing} settings differ; nothing is changed that exists`;
    throw new ConcordatError('TOPIC_DIFFERS', text);
  }
  const created = verb === 'apply' ? 'created' : 'missing: concordat topic apply creates them';
  print.progress(missing > 0 ? `${missing} ${created}` : 'every topic is as it should be');
}
