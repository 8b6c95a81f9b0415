import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brokerJars } from '@concordat/cli/io/broker/jars.js';
import { type LocalBroker, startLocalBroker } from '@concordat/cli/io/broker/local-broker.js';

/** The brokers that all tests of this run share: given by KAFKA_BROKERS, else started once by `broker-setup.js`. */
export function sharedBrokers(): readonly string[] {
  const brokers = process.env['CONCORDAT_TEST_BROKERS'];
  if (!brokers)
    throw new Error('no shared broker: run *.broker.test.ts in the jest project "broker"');
  return brokers.split(',');
}

export interface OwnBroker extends LocalBroker {
  /** Stops it and removes its files. */
  dispose(): Promise<void>;
}

/** A broker of the test's own, to crash and restart. */
export async function startOwnBroker(): Promise<OwnBroker> {
  const directory = await mkdtemp(join(tmpdir(), 'concordat-own-'));
  const jars = await brokerJars(() => undefined);
  if (!jars.ok) throw new Error(jars.error);
  const local = await startLocalBroker({ jars: jars.value, directory });
  return {
    ...local,
    dispose: async () => {
      await local.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
