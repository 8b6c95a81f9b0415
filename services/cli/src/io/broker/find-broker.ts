import { join } from 'node:path';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { pingBroker } from '@concordat/common/io/kafka/ping.js';
import { type Progress, brokerJars, probeJava } from './jars.js';
import { type LocalBroker, startLocalBroker } from './local-broker.js';

export interface FindBrokerOptions {
  /** The setting KAFKA_BROKERS: `host:port,host:port`. */
  readonly kafkaBrokers?: string | undefined;
  /** A launched broker keeps its files in `broker/` under it. */
  readonly directory: string;
  readonly progress: Progress;
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
 * KAFKA_BROKERS if it is set, else Apache Kafka from its own jars.
 *
 * @throws ConcordatError BROKER_UNAVAILABLE, naming every way and why it is not open
 */
export async function findBroker(options: FindBrokerOptions): Promise<FoundBroker> {
  const brokers = (options.kafkaBrokers ?? '').split(',').flatMap((each) => each.trim() || []);
  if (brokers.length > 0) return givenBroker(brokers);

  const java = await probeJava();
  const jars = java.ok ? await brokerJars(options.progress) : java;
  if (!jars.ok) throw noBroker(jars.error);
  options.progress('starting Apache Kafka');
  const directory = join(options.directory, 'broker');
  const local = await startLocalBroker({
    jars: jars.value,
    directory,
    ...(options.jvmFlags && { jvmFlags: options.jvmFlags }),
  });
  return { kind: 'launched', brokers: [local.address], local, stop: () => local.stop() };
}

async function givenBroker(brokers: readonly string[]): Promise<FoundBroker> {
  const answers = (await pingBroker(brokers)) || (await pingBroker(brokers));
  if (!answers) {
    const text = `KAFKA_BROKERS is set, but no broker answers at ${brokers.join(', ')}`;
    throw new ConcordatError('BROKER_UNAVAILABLE', text);
  }
  return { kind: 'given', brokers, stop: () => Promise.resolve() };
}

function noBroker(why: string): ConcordatError {
  const ways = [
    'no broker. Either set KAFKA_BROKERS=host:port to one that runs',
    `or install Java 17 or later and Maven, and one is started here (${why})`,
  ];
  return new ConcordatError('BROKER_UNAVAILABLE', ways.join(', '));
}
