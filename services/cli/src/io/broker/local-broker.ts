import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { access, mkdir, open, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { pingBroker } from '@concordat/common/io/kafka/ping.js';
import { freePort } from '../free-ports.js';
import { JVM_FLAGS, formatArguments, kraftSettings } from './kraft-settings.js';

const run = promisify(execFile);
const READY_MS_MAX = 60_000;
const STOP_MS_MAX = 15_000;
const FORMAT_MS_MAX = 60_000;
const POLL_MS = 50;

export interface LocalBrokerOptions {
  /** The jars of Apache Kafka. */
  readonly jars: string;
  /** Everything the broker writes stays in here; one of an earlier run is taken up again. */
  readonly directory: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Default: those of a short life. */
  readonly jvmFlags?: readonly string[];
}

/** One broker process of ours on the loopback. It does not outlive us, however we end. */
export interface LocalBroker {
  /** `127.0.0.1:port`; the same after a restart. */
  readonly address: string;
  readonly directory: string;
  /** The broker process, while it runs. */
  pid(): number | undefined;
  /** SIGTERM, then SIGKILL. Idempotent. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash. */
  kill(): Promise<void>;
  /** Starts it again on the same directory and port, after `stop`, `kill` or a crash. */
  restart(): Promise<void>;
}

/**
 * The shell stands between us and the broker: when we end, by SIGKILL too, its standard input closes and it ends the broker.
 * It prints the broker's process id first. Arguments: the broker's output file, then its command.
 */
const GUARD = `
out=$1; shift
exec 3<&0
"$@" </dev/null >>"$out" 2>&1 3<&- & broker=$!
echo "$broker"
( cat <&3 >/dev/null; kill -TERM "$broker"; sleep 10; kill -KILL "$broker" ) >/dev/null 2>&1 & guard=$!
wait "$broker"; code=$?
kill "$guard" 2>/dev/null
exit "$code"
`;

/** @throws ConcordatError BROKER_UNAVAILABLE when it does not become ready; its own words are in `broker.log` */
export async function startLocalBroker(options: LocalBrokerOptions): Promise<LocalBroker> {
  const directory = resolve(options.directory);
  const logDir = join(directory, 'logs');
  const settingsFile = join(directory, 'server.properties');
  const logFile = join(directory, 'broker.log');
  const classPath = join(options.jars, '*');
  await mkdir(logDir, { recursive: true });

  const port = options.port ?? (await freePort());
  const address = `127.0.0.1:${String(port)}`;
  const flags = options.jvmFlags ?? JVM_FLAGS;
  const java = (main: string): string[] => [...flags, '-cp', classPath, main];

  const prepare = async (): Promise<void> => {
    const controllerPort = await freePort();
    await writeFile(settingsFile, kraftSettings({ port, controllerPort, logDir }));
    if (await exists(join(logDir, 'meta.properties'))) return;
    const id = randomBytes(16).toString('base64url');
    const format = [...java('kafka.tools.StorageTool'), ...formatArguments(id, settingsFile)];
    await run('java', format, { timeout: FORMAT_MS_MAX });
  };

  let running: Running | undefined;

  const start = async (): Promise<void> => {
    try {
      await prepare();
      running = await spawnBroker(logFile, [...java('kafka.Kafka'), settingsFile]);
      await untilReady(running, address);
    } catch (cause) {
      await running?.end('SIGKILL');
      const text = `the local broker did not start, see ${logFile}: ${(await lastLine(logFile)) ?? String(cause)}`;
      throw new ConcordatError('BROKER_UNAVAILABLE', text, { cause });
    }
  };

  await start();
  return {
    address,
    directory,
    pid: () => (running?.exited() === false ? running.pid : undefined),
    stop: async () => {
      await running?.end('SIGTERM');
    },
    kill: async () => {
      await running?.end('SIGKILL');
    },
    restart: async () => {
      await running?.end('SIGTERM');
      await start();
    },
  };
}

interface Running {
  readonly pid: number;
  exited(): boolean;
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

async function spawnBroker(logFile: string, args: readonly string[]): Promise<Running> {
  const guard: ChildProcess = spawn('sh', ['-c', GUARD, 'broker', logFile, 'java', ...args], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true, // an interrupt at the keyboard is for us: we stop the broker last
  });
  const { stdin, stdout } = guard;
  if (stdin === null || stdout === null) throw new Error('the broker has no pipes');
  stdin.on('error', () => undefined);
  const over = new Promise<void>((done) => guard.once('exit', () => done()));
  const [line] = (await once(createInterface(stdout), 'line')) as [string];
  const pid = Number(line);
  const exited = (): boolean => guard.exitCode !== null || guard.signalCode !== null;
  return {
    pid,
    exited,
    end: async (signal) => {
      if (exited()) return;
      signalTo(pid, signal);
      const late = new AbortController();
      const deadline = delay(STOP_MS_MAX, undefined, { signal: late.signal }).then(
        () => signalTo(pid, 'SIGKILL'),
        () => undefined,
      );
      await over;
      late.abort();
      await deadline;
      stdin.destroy();
    },
  };
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has ended by itself
  }
}

async function untilReady(broker: Running, address: string): Promise<void> {
  const deadlineMs = performance.now() + READY_MS_MAX;
  while (performance.now() < deadlineMs) {
    if (broker.exited()) throw new Error('the broker process ended');
    if ((await isListening(address)) && (await pingBroker([address]))) return;
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

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** undefined when there is no such file: the broker did not come as far as that. */
async function lastLine(path: string): Promise<string | undefined> {
  const file = await open(path).catch(() => undefined);
  if (file === undefined) return undefined;
  const text = await file.readFile('utf8');
  await file.close();
  return text.trim().split('\n').at(-1);
}
