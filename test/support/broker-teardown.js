import { writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';

export default async function stopSharedBroker() {
  const shared = globalThis.concordatSharedBroker;
  if (!shared) return;
  const { broker, runner, directory } = shared;
  await broker.stop();
  await rm(directory, { recursive: true, force: true });
  // After all that Jest has to say: when it forces the exit, its streams write no more.
  process.once('exit', () => writeSync(process.stderr.fd, `${whereFrom(broker, runner)}\n`));
}

/** Which of the ways this run has tried. */
function whereFrom({ kind }, { way, inWords }) {
  const shared = kind === 'given' ? 'given by KAFKA_BROKERS; others ran' : 'Apache Kafka';
  const rest =
    way === 'docker' ? '' : '. No Docker engine was used: the testcontainers path did not run';
  return `broker: ${shared} ${inWords}${rest}.`;
}
