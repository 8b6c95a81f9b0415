import { mkdir, open, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { pingBroker } from '@concordat/common/io/kafka/ping.js';
import type { BrokerWay } from '../../domain/broker-way.js';
import { freePort } from '../free-ports.js';
import { JVM_FLAGS, jvmArguments, kraftSettings } from './kraft-settings.js';
import type { BrokerRunner, RunningBroker } from './runner.js';

const READY_MS_MAX = 60_000;
const POLL_MS = 50;

export interface LocalBrokerOptions {
  /** Everything the broker writes stays in here; one of an earlier run is taken up again. */
  readonly directory: string;
  /** Default: a free one. */
  readonly port?: number | undefined;
  /** Default: those of a short life. */
  readonly jvmFlags?: readonly string[] | undefined;
}

/** One broker of ours on the loopback. It does not outlive us, however we end. */
export interface LocalBroker {
  readonly way: BrokerWay;
  /** How it runs, for people: `in a container (Docker Compose)`. */
  readonly inWords: string;
  /** `127.0.0.1:port`; the same after a restart. */
  readonly address: string;
  readonly directory: string;
  /** The broker's process, while it runs on this machine. */
  pid(): number | undefined;
  /** SIGTERM, then SIGKILL. Idempotent. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash. */
  kill(): Promise<void>;
  /** Starts it again on the same directory and port, after `stop`, `kill` or a crash. */
  restart(): Promise<void>;
}

/** @throws ConcordatError BROKER_UNAVAILABLE when it does not become ready; its own words are in `broker.log` */
export async function startLocalBroker(
  options: LocalBrokerOptions,
  runner: BrokerRunner,
): Promise<LocalBroker> {
  const directory = resolve(options.directory);
  const logFile = join(directory, 'broker.log');
  const logDir = join(runner.seenAs(directory), 'logs');
  await mkdir(join(directory, 'logs'), { recursive: true });

  const port = options.port ?? (await freePort());
  const address = `127.0.0.1:${String(port)}`;
  let running: RunningBroker | undefined;

  const start = async (): Promise<void> => {
    try {
      const controllerPort = await freePort();
      const { listenOn } = runner;
      const settings = kraftSettings({ port, controllerPort, listenOn, logDir });
      await writeFile(join(directory, 'server.properties'), settings);
      await writeFile(join(directory, 'jvm.args'), jvmArguments(options.jvmFlags ?? JVM_FLAGS));
      running = await runner.start({ directory, port });
      await untilReady(running, address);
    } catch (cause) {
      await running?.end('SIGKILL');
      const said = await lastLine(logFile);
      const why = said === undefined ? String(cause) : `${said} (see ${logFile})`;
      const text = `the local broker did not start ${runner.inWords}: ${why}`;
      throw new ConcordatError('BROKER_UNAVAILABLE', text, { cause });
    }
  };

  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    await running?.end(signal);
    running = undefined;
  };

  await start();
  return {
    way: runner.way,
    inWords: runner.inWords,
    address,
    directory,
    pid: () => running?.pid,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    restart: async () => {
      await end('SIGTERM');
      await start();
    },
  };
}

async function untilReady(broker: RunningBroker, address: string): Promise<void> {
  const deadlineMs = performance.now() + READY_MS_MAX;
  while (performance.now() < deadlineMs) {
    if ((await isListening(address)) && (await pingBroker([address]))) return;
    if (!(await broker.isRunning())) throw new Error('the broker ended');
    await delay(POLL_MS);
  }
  throw new Error(`not ready after ${String(READY_MS_MAX / 1000)} s`);
}

function isListening(address: string): Promise<boolean> {
  const [host = '', port = ''] = address.split(':');
  return new Promise((done) => {
    const socket = connect({ host, port: Number(port) });
    const answer = (listening: boolean) => () => {
      socket.destroy();
      done(listening);
    };
    socket.once('connect', answer(true)).once('error', answer(false));
  });
}

/** undefined when it has said nothing: the broker did not come as far as that. */
async function lastLine(path: string): Promise<string | undefined> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return undefined;
  const text = await file.readFile('utf8');
  await file.close();
  return text
    .trim()
    .split('\n')
    .findLast((line) => line !== '');
}
