import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readSettings } from '@concordat/cli/config.js';
import { openLocalBroker } from '@concordat/cli/io/broker/find-broker.js';
import type { LocalBroker } from '@concordat/cli/io/broker/local-broker.js';
import { testcontainersRunner } from './testcontainers-runner.js';

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

/** A broker of the test's own, to crash and restart; it runs in the way that `broker-setup.js` found. */
export async function startOwnBroker(): Promise<OwnBroker> {
  const directory = await mkdtemp(join(tmpdir(), 'concordat-own-'));
  const local = await openLocalBroker({
    way: readSettings(process.env).brokerWay,
    progress: () => undefined,
    containers: testcontainersRunner,
    directory,
  });
  return {
    ...local,
    dispose: async () => {
      await local.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
