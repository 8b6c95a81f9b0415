import { join } from 'node:path';
import { ConcordatError, asConcordatError } from '@concordat/common/domain/errors.js';
import { type Result, err, ok } from '@concordat/common/domain/result.js';
import { pingBroker } from '@concordat/common/io/kafka/ping.js';
import type { BrokerWay } from '../../domain/broker-way.js';
import { composeRunner } from './compose-runner.js';
import { type DockerEngine, kafkaImage, probeDocker } from './docker-engine.js';
import { javaRunner } from './java-runner.js';
import { type Progress, brokerJars, probeJava } from './jars.js';
import { type LocalBroker, type LocalBrokerOptions, startLocalBroker } from './local-broker.js';
import type { BrokerRunner } from './runner.js';

export interface LocalWays {
  /** The setting BROKER: this way and no other; else the first that is open. */
  readonly way?: BrokerWay | undefined;
  readonly progress: Progress;
  /** How a container is run; default: by Docker Compose. */
  readonly containers?: ((engine: DockerEngine) => BrokerRunner) | undefined;
}

export interface FindBrokerOptions extends LocalWays {
  /** The setting KAFKA_BROKERS: `host:port,host:port`. */
  readonly kafkaBrokers?: string | undefined;
  /** A launched broker keeps its files in `broker/` under it. */
  readonly directory: string;
  /** For a launched broker's JVM; default: those of a short life. */
  readonly jvmFlags?: readonly string[];
}

/** A broker to work with, and where it came from: a given one is never stopped by us. */
export type FoundBroker =
  | { readonly kind: 'given'; readonly brokers: readonly string[]; stop(): Promise<void> }
  | {
      readonly kind: 'launched';
      readonly brokers: readonly string[];
      readonly local: LocalBroker;
      stop(): Promise<void>;
    };

/**
 * KAFKA_BROKERS if it is set, else Apache Kafka in a container if a Docker engine answers and has the image, else from its own jars.
 *
 * @throws ConcordatError BROKER_UNAVAILABLE, naming every way and why it is not open
 */
export async function findBroker(options: FindBrokerOptions): Promise<FoundBroker> {
  const brokers = addressesOf(options.kafkaBrokers);
  if (brokers.length > 0) return givenBroker(brokers);
  const directory = join(options.directory, 'broker');
  const local = await openLocalBroker({ ...options, directory });
  return { kind: 'launched', brokers: [local.address], local, stop: () => local.stop() };
}

/** The setting KAFKA_BROKERS, read. */
export function addressesOf(kafkaBrokers: string | undefined): string[] {
  return (kafkaBrokers ?? '').split(',').flatMap((each) => each.trim() || []);
}

/**
 * A broker on this machine by the first way that is open. A container that does not start closes its way, unless it was asked for.
 *
 * @throws ConcordatError BROKER_UNAVAILABLE, naming every way and why it is not open
 */
export async function openLocalBroker(
  options: LocalWays & LocalBrokerOptions,
): Promise<LocalBroker> {
  const { way, progress } = options;
  const found = await findRunner(options);
  const start = (runner: BrokerRunner): Promise<LocalBroker> => {
    progress(`starting Apache Kafka ${runner.inWords}`);
    return startLocalBroker(options, runner);
  };
  try {
    return await start(found);
  } catch (cause) {
    if (found.way === 'java' || way === 'docker') throw cause;
    const { message } = asConcordatError(cause);
    progress(`${message}; trying Java`);
    const java = await findJava(options);
    if (!java.ok) throw noBroker(message, java.error);
    return start(java.value);
  }
}

/** The first way that is open, as far as can be told without starting anything. */
export async function findRunner(options: LocalWays): Promise<BrokerRunner> {
  const { way } = options;
  const docker = way === 'java' ? err('BROKER=java') : await findDocker(options);
  if (docker.ok) return docker.value;
  if (way === 'docker') {
    const text = `BROKER=docker is set, and there is no broker by Docker: ${docker.error}`;
    throw new ConcordatError('BROKER_UNAVAILABLE', text);
  }
  if (way === undefined) options.progress(`no broker by Docker: ${docker.error}`);
  const java = await findJava(options);
  if (!java.ok) throw noBroker(docker.error, java.error);
  return java.value;
}

async function findDocker(options: LocalWays): Promise<Result<BrokerRunner, string>> {
  const engine = await probeDocker();
  if (!engine.ok) return engine;
  const image = await kafkaImage(options.progress);
  return image.ok ? ok((options.containers ?? composeRunner)(engine.value)) : image;
}

async function findJava({ progress }: LocalWays): Promise<Result<BrokerRunner, string>> {
  const java = await probeJava();
  const jars = java.ok ? await brokerJars(progress) : java;
  return jars.ok ? ok(javaRunner(jars.value)) : jars;
}

async function givenBroker(brokers: readonly string[]): Promise<FoundBroker> {
  const answers = (await pingBroker(brokers)) || (await pingBroker(brokers));
  if (!answers) {
    const text = `KAFKA_BROKERS is set, but no broker answers at ${brokers.join(', ')}`;
    throw new ConcordatError('BROKER_UNAVAILABLE', text);
  }
  return { kind: 'given', brokers, stop: () => Promise.resolve() };
}

function noBroker(whyNotDocker: string, whyNotJava: string): ConcordatError {
  const ways = [
    'no broker. Either set KAFKA_BROKERS=host:port to one that runs',
    `or start a Docker engine with Compose, and one is run in a container (${whyNotDocker})`,
    `or install Java 17 or later and Maven, and one is run from its jars (${whyNotJava})`,
  ];
  return new ConcordatError('BROKER_UNAVAILABLE', ways.join(', '));
}
