import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { type BrokerRunner, type RunningBroker, START_SCRIPT, STOP_MS_MAX } from './runner.js';

/**
 * The shell stands between us and the broker: when we end, by SIGKILL too, its standard input closes and it ends the broker.
 * It prints the broker's process id first. Arguments: the broker's command.
 */
const GUARD = `
exec 3<&0
"$@" </dev/null >/dev/null 2>&1 3<&- & broker=$!
echo "$broker"
( cat <&3 >/dev/null; kill -TERM "$broker"; sleep 10; kill -KILL "$broker" ) >/dev/null 2>&1 & guard=$!
wait "$broker"; code=$?
kill "$guard" 2>/dev/null
exit "$code"
`;

/** Runs the broker from its own jars, by the `java` of this machine. */
export function javaRunner(jars: string): BrokerRunner {
  return {
    way: 'java',
    inWords: 'from its own jars (Java)',
    listenOn: '127.0.0.1',
    seenAs: (directory) => directory,
    start: ({ directory }) => runGuarded(['sh', START_SCRIPT, directory, jars]),
  };
}

async function runGuarded(command: readonly string[]): Promise<RunningBroker> {
  const guard: ChildProcess = spawn('sh', ['-c', GUARD, 'broker', ...command], {
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
    isRunning: async () => !exited(),
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
