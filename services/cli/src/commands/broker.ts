import { once } from 'node:events';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { pingBroker } from '@concordat/common/io/kafka/ping.js';
import type { Command } from 'commander';
import { beginBackground, endBackground, findBackground } from '../io/broker/background.js';
import { openLocalBroker } from '../io/broker/find-broker.js';
import { homeFiles } from '../io/home.js';
import { portArgument, surroundings } from './options.js';
import type { World } from './world.js';

const KAFKA_PORT = 9092;

interface DirOptions {
  readonly dir: string;
}
interface StartOptions extends DirOptions {
  readonly port: number;
}

export function addBrokerCommands(program: Command, world: World): void {
  const broker = program.command('broker').description('a local Apache Kafka, for one machine');
  const verb = (name: string, about: string): Command =>
    broker
      .command(name)
      .description(about)
      .requiredOption('--dir <dir>', 'its files go to broker/ in here', world.settings.home);
  const withPort = (command: Command): Command =>
    command.option('--port <n>', 'port on the loopback', portArgument, KAFKA_PORT);

  withPort(
    verb('start', 'run Kafka until Ctrl-C: in a container, or from its jars (BROKER)'),
  ).action(async (options: StartOptions, command: Command) => start(world, options, command));
  withPort(verb('up', 'the same in the background, until broker down')).action(
    async (options: StartOptions, command: Command) => up(world, options, command),
  );
  verb('down', 'stop what broker up started').action(
    async (options: DirOptions, command: Command) => down(world, options, command),
  );
}

async function start(world: World, options: StartOptions, command: Command): Promise<void> {
  const { print } = surroundings(world, command);
  const stop = world.interruption();
  await demandFree(options.port);
  const broker = await openLocalBroker({
    way: world.settings.brokerWay,
    progress: print.progress,
    directory: homeFiles(options.dir).brokerDir,
    port: options.port,
  });
  print.line({ address: broker.address, from: broker.inWords }, broker.address);
  print.progress('ready; Ctrl-C stops it');
  if (!stop.aborted) await once(stop, 'abort');
  print.progress('stopping');
  await broker.stop();
}

async function demandFree(port: number): Promise<void> {
  const address = `127.0.0.1:${String(port)}`;
  if (await pingBroker([address])) {
    const text = `--port: expected a free port, came ${address}, where a broker answers already`;
    throw new ConcordatError('CONFIG_INVALID', text);
  }
}

async function up(world: World, options: StartOptions, command: Command): Promise<void> {
  const { print } = surroundings(world, command);
  const { brokerDir } = homeFiles(options.dir);
  const before = await findBackground(brokerDir);
  if (before === undefined) print.progress(`starting a broker; its files: ${brokerDir}`);
  const { address, from } = before ?? (await beginBackground({ ...options, brokerDir }));
  print.progress(`Apache Kafka ${from} runs at ${address}; its log: ${brokerDir}/broker.log`);
  print.line({ address, from }, address);
}

async function down(world: World, options: DirOptions, command: Command): Promise<void> {
  const { print } = surroundings(world, command);
  const { brokerDir } = homeFiles(options.dir);
  const running = await findBackground(brokerDir);
  if (running === undefined) {
    print.progress(`no broker of broker up runs for ${options.dir}`);
    return;
  }
  await endBackground(brokerDir, running);
  print.progress(`stopped the broker at ${running.address}; its topics stay in ${brokerDir}`);
}
