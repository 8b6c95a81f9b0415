import { readFile } from 'node:fs/promises';
import kafkajs from 'kafkajs';
import { z } from 'zod';
import { ConcordatError } from '../../domain/errors.js';
import type { Clock } from '../../domain/ports.js';
import {
  type Membership,
  type Profile,
  type Topic,
  type TopicCatalogue,
  type TopicFinding,
  planTopics,
  wantedTopic,
  wantedTopics,
} from '../../domain/topics.js';
import { type LogAdmin, openAdmin } from './admin.js';
import { type KafkaOptions, connectKafka } from './connection.js';

const CATALOGUE = new URL('../../../../../infra/topics.json', import.meta.url);
const CREATE_MS_MAX = 30_000;
const LEADERS_PAUSE_MS = 100;

/** What a broker must not do: elect a leader that misses records, create a topic because somebody mistyped its name. */
const SAFE_BROKER = {
  'unclean.leader.election.enable': 'false',
  'auto.create.topics.enable': 'false',
} as const;

const settingsShape = z.record(z.string(), z.string());
const profileShape = z.strictObject({ replication: z.int().min(1), settings: settingsShape });
const catalogueShape = z.strictObject({
  profiles: z.strictObject({ demo: profileShape, production: profileShape }),
  everyTopic: settingsShape,
  topics: z.array(
    z.strictObject({ name: z.string(), lanes: z.int().min(1), settings: settingsShape }),
  ),
});

/** What we know of a running cluster's topics and brokers. */
export interface TopicAdmin {
  /** Compares `infra/topics.json` with the cluster; changes nothing. */
  plan(membership: Membership, profile: Profile): Promise<readonly TopicFinding[]>;
  /**
   * Creates what is missing and nothing else: a difference is for people to resolve. Returns the findings as they were
   * before.
   */
  apply(membership: Membership, profile: Profile): Promise<readonly TopicFinding[]>;
  /**
   * For the start of a service: these topics exist and are as they should be, and the brokers are safe.
   *
   * @param warn in profile `demo` told of unsafe brokers, which profile `production` refuses
   * @throws ConcordatError TOPIC_MISSING, TOPIC_DIFFERS, BROKER_SETTINGS_UNSAFE
   */
  assertTopics(
    names: readonly string[],
    profile: Profile,
    warn: (finding: ConcordatError) => void,
  ): Promise<void>;
  /** Every topic of ours that exists, for dumps. */
  existing(membership: Membership): Promise<readonly string[]>;
  close(): Promise<void>;
}

export async function readTopicCatalogue(): Promise<TopicCatalogue> {
  const text = await readFile(CATALOGUE, 'utf8');
  const parsed = catalogueShape.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  throw new ConcordatError('CONFIG_INVALID', `infra/topics.json: ${z.prettifyError(parsed.error)}`);
}

export async function openTopicAdmin(options: KafkaOptions): Promise<TopicAdmin> {
  const catalogue = await readTopicCatalogue();
  const connection = connectKafka(options);
  const admin = openAdmin(connection);

  const plan = async (wanted: readonly Topic[]): Promise<readonly TopicFinding[]> =>
    planTopics(wanted, await describe(admin, wanted));

  return {
    plan: (membership, profile) => plan(wantedTopics(catalogue, membership, profile)),
    apply: async (membership, profile) => {
      const findings = await plan(wantedTopics(catalogue, membership, profile));
      const missing = findings.flatMap((each) => (each.kind === 'create' ? [each.wanted] : []));
      if (missing.length > 0) await create(admin, connection.clock, missing);
      return findings;
    },
    assertTopics: async (names, profile, warn) => {
      const wanted = names.map((name) => wantedTopic(catalogue, name, profile) ?? unknown(name));
      assertFindings(await plan(wanted));
      const unsafe = await unsafeBrokers(admin);
      if (unsafe === undefined) return;
      if (profile === 'production') throw unsafe;
      warn(unsafe);
    },
    existing: async (membership) => {
      const all = new Set(await admin.call('list topics', (client) => client.listTopics()));
      const ours = wantedTopics(catalogue, membership, 'demo').map(({ name }) => name);
      return ours.filter((name) => all.has(name));
    },
    close: () => admin.close(),
  };
}

/** One line per finding, for people. */
export function describeFinding(finding: TopicFinding): string {
  switch (finding.kind) {
    case 'ok':
      return `ok       ${finding.topic}`;
    case 'create': {
      const { lanes, replication } = finding.wanted;
      return `create   ${finding.topic}: ${String(lanes)} lanes, ${String(replication)} copies`;
    }
    case 'differs': {
      const { topic, setting, expected, got } = finding;
      return `differs  ${topic}: ${setting} should be ${expected}, is ${got}`;
    }
  }
}

function unknown(name: string): never {
  throw new ConcordatError('TOPIC_MISSING', `${name} is no topic of infra/topics.json`);
}

function assertFindings(findings: readonly TopicFinding[]): void {
  const missing = findings.filter(({ kind }) => kind === 'create');
  if (missing.length > 0) {
    const names = missing.map(({ topic }) => topic).join(', ');
    throw new ConcordatError('TOPIC_MISSING', `missing: ${names}`);
  }
  const differs = findings.filter(({ kind }) => kind === 'differs');
  if (differs.length > 0) {
    throw new ConcordatError('TOPIC_DIFFERS', differs.map(describeFinding).join('; '));
  }
}

async function create(admin: LogAdmin, clock: Clock, topics: readonly Topic[]): Promise<void> {
  await admin.call('create topics', (client) =>
    client.createTopics({
      // a busy broker does not know its new topic for a moment, and kafkajs takes that for an error
      waitForLeaders: false,
      timeout: CREATE_MS_MAX,
      topics: topics.map(({ name, lanes, replication, settings }) => ({
        topic: name,
        numPartitions: lanes,
        replicationFactor: replication,
        configEntries: Object.entries(settings).map(([key, value]) => ({ name: key, value })),
      })),
    }),
  );
  const names = topics.map(({ name }) => name);
  const begunMs = clock.monotonicMs();
  while (!(await haveLeaders(admin, names))) {
    if (clock.monotonicMs() - begunMs > CREATE_MS_MAX) {
      const text = `topics that were created: expected leaders within ${String(CREATE_MS_MAX / 1_000)} s, came none`;
      throw new ConcordatError('BROKER_UNAVAILABLE', text);
    }
    await clock.sleep(LEADERS_PAUSE_MS);
  }
}

async function haveLeaders(admin: LogAdmin, names: readonly string[]): Promise<boolean> {
  try {
    const { topics } = await admin.call('topics that were created', (client) =>
      client.fetchTopicMetadata({ topics: [...names] }),
    );
    return topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0));
  } catch (cause) {
    if (cause instanceof ConcordatError && cause.code === 'TOPIC_MISSING') return false;
    throw cause;
  }
}

/** Those of the topics that exist, as they are; only the settings that we have an opinion on. */
async function describe(admin: LogAdmin, wanted: readonly Topic[]): Promise<readonly Topic[]> {
  const existing = new Set(await admin.call('list topics', (client) => client.listTopics()));
  const asked = wanted.filter(({ name }) => existing.has(name));
  if (asked.length === 0) return [];
  const names = asked.map(({ name }) => name);
  const { topics } = await admin.call('describe topics', (client) =>
    client.fetchTopicMetadata({ topics: names }),
  );
  const { resources } = await admin.call('describe topic settings', (client) =>
    client.describeConfigs({
      includeSynonyms: false,
      resources: asked.map(({ name, settings }) => ({
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name,
        configNames: Object.keys(settings),
      })),
    }),
  );
  return topics.map(({ name, partitions }) => {
    const found = resources.find(({ resourceName }) => resourceName === name);
    const entries = (found?.configEntries ?? []).map((entry) => {
      return [entry.configName, entry.configValue] as const;
    });
    const replication = Math.min(...partitions.map(({ replicas }) => replicas.length));
    return { name, lanes: partitions.length, replication, settings: Object.fromEntries(entries) };
  });
}

async function unsafeBrokers(admin: LogAdmin): Promise<ConcordatError | undefined> {
  const { brokers } = await admin.call('list brokers', (client) => client.describeCluster());
  const { resources } = await admin.call('describe broker settings', (client) =>
    client.describeConfigs({
      includeSynonyms: false,
      resources: brokers.map(({ nodeId }) => ({
        type: kafkajs.ConfigResourceTypes.BROKER,
        name: String(nodeId),
        configNames: Object.keys(SAFE_BROKER),
      })),
    }),
  );
  const unsafe = resources.flatMap(({ resourceName, configEntries }) =>
    Object.entries(SAFE_BROKER).flatMap(([setting, expected]) => {
      const got = configEntries.find(({ configName }) => configName === setting)?.configValue;
      if (got === expected) return [];
      return [`broker ${resourceName}: ${setting} should be ${expected}, is ${got ?? 'unknown'}`];
    }),
  );
  if (unsafe.length === 0) return undefined;
  return new ConcordatError('BROKER_SETTINGS_UNSAFE', unsafe.join('; '));
}
