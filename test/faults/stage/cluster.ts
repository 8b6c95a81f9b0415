import { mkdir, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pingBroker } from '@concordat/common/io/kafka/ping.js';
import { jvmArguments, JVM_FLAGS, kraftSettings } from '@concordat/cli/io/broker/kraft-settings.js';
import type { BrokerRunner, RunningBroker } from '@concordat/cli/io/broker/runner.js';
import { freePorts } from '@concordat/cli/io/free-ports.js';
import { type Link, openLink } from './link.js';

export const BROKERS = 3;
const HEAP = '-Xmx256m';
/** Small segments, so that a short run has closed ones. */
const SEGMENT_BYTES = 1_048_576;
const READY_MS_MAX = 120_000;
const POLL_MS = 100;

/** One broker of the cluster, controller too. It does not outlive us. */
export interface ClusterBroker {
  readonly id: number;
  /** where it keeps its topics */
  readonly logDir: string;
  /** past all links */
  readonly address: string;
  readonly isRunning: boolean;
  start(): Promise<void>;
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** SIGSTOP, SIGCONT */
  signal(signal: NodeJS.Signals): void;
}

export interface Cluster {
  readonly brokers: readonly ClusterBroker[];
  /** past all links, for whoever looks on */
  readonly direct: readonly string[];
  /** The links of one user to every broker, by broker. */
  linksOf(user: string): readonly Link[];
  /** `host:port` of the links of one user, for KAFKA_BROKERS. */
  addressesFor(user: string): readonly string[];
  /** Resolves when every broker that runs answers. */
  ready(): Promise<void>;
}

interface Ports {
  readonly direct: number;
  readonly controller: number;
  /** by user: where the broker listens, and the link that it names to others */
  readonly users: ReadonlyMap<string, { readonly own: number; readonly link: Link }>;
}

/** Starts three brokers. Each user reaches each of them by a link of its own, and is told of no other address. */
export async function startCluster(about: {
  readonly dir: string;
  readonly runner: BrokerRunner;
  readonly users: readonly string[];
  /** takes what ends it, whatever becomes of its start */
  readonly ended: (() => Promise<unknown>)[];
}): Promise<Cluster> {
  const { dir, runner, users, ended } = about;
  const free = await freePorts(BROKERS * (2 + users.length));
  const take = (): number => free.pop() ?? 0;
  const ports: Ports[] = [];
  for (let at = 0; at < BROKERS; at += 1) {
    const own = users.map((user) => ({ user, port: take() }));
    const links = await Promise.all(
      own.map(async ({ user, port }) => [user, { own: port, link: await openLink(port) }] as const),
    );
    ports.push({ direct: take(), controller: take(), users: new Map(links) });
  }
  const voters = ports.map((one, at) => `${String(at + 1)}@127.0.0.1:${String(one.controller)}`);
  const clusterId = randomBytes(16).toString('base64url');
  const brokers = await Promise.all(
    ports.map(async (its, at) => {
      const directory = join(dir, `broker-${String(at + 1)}`);
      await mkdir(join(directory, 'logs'), { recursive: true });
      const place = {
        ports: its,
        id: at + 1,
        voters,
        logDir: join(runner.seenAs(directory), 'logs'),
      };
      await writeFile(join(directory, 'server.properties'), settingsOf(place));
      await writeFile(join(directory, 'cluster.id'), clusterId);
      const flags = JVM_FLAGS.map((flag) => (flag.startsWith('-Xmx') ? HEAP : flag));
      await writeFile(join(directory, 'jvm.args'), jvmArguments(flags));
      return clusterBroker(runner, directory, its.direct, at + 1);
    }),
  );
  const direct = brokers.map(({ address }) => address);
  const linksOf = (user: string): Link[] => {
    return ports.map((its) => {
      const found = its.users.get(user);
      if (!found) throw new TypeError(`${user} has no links`);
      return found.link;
    });
  };
  const ready = async (): Promise<void> => {
    const deadlineMs = performance.now() + READY_MS_MAX;
    for (const broker of brokers) {
      while (broker.isRunning && !(await pingBroker([broker.address]))) {
        if (performance.now() > deadlineMs)
          throw new Error(`broker ${String(broker.id)} is not ready`);
        await delay(POLL_MS);
      }
    }
  };
  ended.push(async () => {
    await Promise.all(brokers.map((broker) => broker.end('SIGKILL')));
    await Promise.all(users.flatMap((user) => linksOf(user).map((link) => link.close())));
  });
  await Promise.all(brokers.map((broker) => broker.start()));
  await ready();
  return {
    ...{ brokers, direct, linksOf, ready },
    addressesFor: (user) => linksOf(user).map(({ port }) => `127.0.0.1:${String(port)}`),
  };
}

/** A repeated name counts as it stands last (java.util.Properties). */
function settingsOf(about: {
  readonly ports: Ports;
  readonly id: number;
  readonly voters: readonly string[];
  readonly logDir: string;
}): string {
  const { ports, id, voters, logDir } = about;
  const { direct: port, controller: controllerPort, users } = ports;
  const links = [...users.values()].map((one, at) => ({ ...one, name: `LINK${String(at)}` }));
  const local = (name: string, at: number): string => `${name}://127.0.0.1:${String(at)}`;
  const cluster = {
    'node.id': String(id),
    'controller.quorum.voters': voters.join(','),
    listeners: [
      local('PLAINTEXT', port),
      local('CONTROLLER', controllerPort),
      ...links.map(({ name, own }) => local(name, own)),
    ].join(','),
    'advertised.listeners': [
      local('PLAINTEXT', port),
      ...links.map(({ name, link }) => local(name, link.port)),
    ].join(','),
    'listener.security.protocol.map': ['CONTROLLER', 'PLAINTEXT', ...links.map(({ name }) => name)]
      .map((name) => `${name}:PLAINTEXT`)
      .join(','),
    'inter.broker.listener.name': 'PLAINTEXT',
    'default.replication.factor': '3',
    'min.insync.replicas': '2',
    'offsets.topic.num.partitions': '3',
    'offsets.topic.replication.factor': '3',
    'transaction.state.log.replication.factor': '3',
    'transaction.state.log.min.isr': '2',
    'share.coordinator.state.topic.replication.factor': '3',
    'share.coordinator.state.topic.min.isr': '2',
    'log.segment.bytes': String(SEGMENT_BYTES),
    'log.index.size.max.bytes': '65536',
    // a leader that comes back leads again, so that a kill later on finds one
    'leader.imbalance.check.interval.seconds': '5',
    'leader.imbalance.per.broker.percentage': '0',
  };
  const lines = Object.entries(cluster).map(([name, value]) => `${name}=${value}\n`);
  return kraftSettings({ port, controllerPort, listenOn: '127.0.0.1', logDir }) + lines.join('');
}

function clusterBroker(
  runner: BrokerRunner,
  directory: string,
  port: number,
  id: number,
): ClusterBroker {
  let running: RunningBroker | undefined;
  return {
    id,
    address: `127.0.0.1:${String(port)}`,
    logDir: join(directory, 'logs'),
    get isRunning() {
      return running !== undefined;
    },
    start: async () => {
      await running?.end('SIGKILL');
      running = await runner.start({ directory, port });
    },
    end: async (signal) => {
      const ending = running;
      running = undefined;
      await ending?.end(signal);
    },
    signal: (signal) => {
      if (running?.pid !== undefined) process.kill(running.pid, signal);
    },
  };
}
