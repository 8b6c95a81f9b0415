import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Once per jest run: the broker that all `*.broker.test.ts` share, and the way in which they run brokers of their own. No broker,
 * no run. Needs `make build`.
 */
export default async function startSharedBroker() {
  const { findBroker, findRunner } = await import('@concordat/cli/io/broker/find-broker.js');
  const { readSettings } = await import('@concordat/cli/config.js');
  const { testcontainersRunner } = await import('./testcontainers-runner.js');
  const { brokers: kafkaBrokers, brokerWay: way } = readSettings(process.env);
  const directory = await mkdtemp(join(tmpdir(), 'concordat-test-'));
  const progress = (text) => process.stderr.write(`${text}\n`);
  const options = { kafkaBrokers, way, directory, progress, containers: testcontainersRunner };
  const broker = await findBroker(options);
  const runner = broker.kind === 'given' ? await findRunner(options) : broker.local;
  process.env.CONCORDAT_TEST_BROKERS = broker.brokers.join(',');
  process.env.BROKER = runner.way; // decided once, for whatever a test starts
  globalThis.concordatSharedBroker = { broker, runner, directory };
}
