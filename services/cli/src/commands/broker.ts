import { once } from 'node:events';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { pingBroker } from '@concordat/common/io/kafka/ping.js';
import type { Command } from 'commander';
import { brokerJars, probeJava } from '../io/broker/jars.js';
import { startLocalBroker } from '../io/broker/local-broker.js';
import { homeFiles } from '../io/home.js';
import { portArgument, surroundings } from './options.js';
import type { World } from './world.js';

const KAFKA_PORT = 9092;

interface StartOptions {
  readonly dir: string;
  readonly port: number;
}

export function addBrokerCommands(program: Command, world: World): void {
  program
    .command('broker')
    .description('a local Apache Kafka, for one machine')
    .command('start')
    .description('run Kafka from its own jars on the loopback until Ctrl-C (Java 17, Maven)')
    .requiredOption('--dir <dir>', 'its files go to broker/ in here', world.settings.home)
    .option('--port <n>', 'port on the loopback', portArgument, KAFKA_PORT)
    .action(async (options: StartOptions, command: Command) => start(world, options, command));
}

async function start(world: World, options: StartOptions, command: Command): Promise<void> {
  const { print } = surroundings(world, command);
  const stop = world.interruption();
  const address = `127.0.0.1:${String(options.port)}`;
  if (await pingBroker([address])) {
    const text = `--port: expected a free port, came ${address}, where a broker answers already`;
    throw new ConcordatError('CONFIG_INVALID', text);
  }
  const java = await probeJava();
  const jars = java.ok ? await brokerJars(print.progress) : java;
  if (!jars.ok) throw new ConcordatError('BROKER_UNAVAILABLE', `a broker needs ${jars.error}`);
  print.progress('starting Apache Kafka');
  const directory = homeFiles(options.dir).brokerDir;
  const broker = await startLocalBroker({ jars: jars.value, directory, port: options.port });
  print.line({ address: broker.address }, broker.address);
  print.progress('ready; Ctrl-C stops it');
  if (!stop.aborted) await once(stop, 'abort');
  print.progress('stopping');
  await broker.stop();
}
