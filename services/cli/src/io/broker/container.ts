import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { type DockerEngine, docker } from './docker-engine.js';
import type { RunningBroker } from './runner.js';

/** Where a container of the broker sees its directory, the script, and the image's jars. */
export const INSIDE = {
  directory: '/broker',
  start: '/start.sh',
  jars: '/opt/kafka/libs',
} as const;

const ASK_MS_MAX = 30_000;

/** What differs between two programs that run containers. */
export interface ContainerParts {
  readonly network: DockerEngine['network'];
  /** Starts the container under this name. */
  begin(name: string): Promise<void>;
  /** SIGTERM, then SIGKILL; then the container is gone, in whatever state it was. */
  remove(name: string): Promise<void>;
}

/** One life of the broker, in a container that does not outlive us. */
export async function beginContainer(parts: ContainerParts): Promise<RunningBroker> {
  const name = `concordat-broker-${randomBytes(4).toString('hex')}`;
  const release = guardContainer(name);
  let isOver = false;
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    if (isOver) return;
    isOver = true;
    if (signal === 'SIGKILL') await killContainer(name);
    await parts.remove(name);
    release();
  };
  try {
    await parts.begin(name);
    const pid = await pidOf(name, parts.network);
    return { pid, isRunning: () => isContainerRunning(name), end };
  } catch (cause) {
    await end('SIGTERM');
    throw cause;
  }
}

/** Nothing is left of it, in whatever state it is. */
export async function removeContainer(name: string): Promise<void> {
  await docker(['rm', '--force', '--volumes', name], ASK_MS_MAX);
}

/** The id of its process, which is of this machine only if its network is. */
async function pidOf(name: string, network: DockerEngine['network']): Promise<number | undefined> {
  if (network === 'published') return undefined;
  return Number(await docker(['inspect', '--format', '{{.State.Pid}}', name], ASK_MS_MAX));
}

async function isContainerRunning(name: string): Promise<boolean> {
  const asked = docker(['inspect', '--format', '{{.State.Running}}', name], ASK_MS_MAX);
  return asked.then(
    (answer) => answer === 'true',
    () => false, // it is gone
  );
}

/** SIGKILL to the process in it. One that has ended already is left alone. */
async function killContainer(name: string): Promise<void> {
  await docker(['kill', '--signal', 'KILL', name], ASK_MS_MAX).catch(async (cause: unknown) => {
    if (await isContainerRunning(name)) throw cause;
  });
}

/**
 * Removes the container when our process ends, by SIGKILL too: then the standard input of the shell closes.
 * @returns what ends the watch, once the container is removed
 */
function guardContainer(name: string): () => void {
  const script = 'cat >/dev/null; docker rm --force --volumes "$1" >/dev/null 2>&1';
  const shell = spawn('sh', ['-c', script, 'guard', name], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true, // an interrupt at the keyboard is for us
  });
  shell.stdin.on('error', () => undefined);
  return () => {
    shell.kill('SIGKILL'); // before its input closes: there is nothing left to remove
    shell.stdin.destroy();
  };
}
