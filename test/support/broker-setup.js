import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Once per jest run: the broker that all `*.broker.test.ts` share. No broker, no run. Needs `make build`. */
export default async function startSharedBroker() {
  const { findBroker } = await import('@concordat/cli/io/broker/find-broker.js');
  const directory = await mkdtemp(join(tmpdir(), 'concordat-test-'));
  const broker = await findBroker({
    kafkaBrokers: process.env.KAFKA_BROKERS,
    directory,
    progress: (text) => process.stderr.write(`${text}\n`),
  });
  process.env.CONCORDAT_TEST_BROKERS = broker.brokers.join(',');
  globalThis.concordatSharedBroker = { broker, directory };
}
