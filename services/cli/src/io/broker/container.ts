import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { docker } from './docker-engine.js';

/** Where a container of the broker sees its directory, the script, and the image's jars. */
export const INSIDE = {
  directory: '/broker',
  start: '/start.sh',
  jars: '/opt/kafka/libs',
} as const;

const ASK_MS_MAX = 30_000;

export function newContainerName(): string {
  return `concordat-broker-${randomBytes(4).toString('hex')}`;
}

export async function isContainerRunning(name: string): Promise<boolean> {
  const asked = docker(['inspect', '--format', '{{.State.Running}}', name], ASK_MS_MAX);
  return asked.then(
    (answer) => answer === 'true',
    () => false, // it is gone
  );
}

/** The id of its process, which is of this machine only if its network is. */
export async function containerPid(
  name: string,
  network: 'host' | 'published',
): Promise<number | undefined> {
  if (network === 'published') return undefined;
  return Number(await docker(['inspect', '--format', '{{.State.Pid}}', name], ASK_MS_MAX));
}

/** SIGKILL to the process in it. One that has ended already is left alone. */
export async function killContainer(name: string): Promise<void> {
  await docker(['kill', '--signal', 'KILL', name], ASK_MS_MAX).catch(async (cause: unknown) => {
    if (await isContainerRunning(name)) throw cause;
  });
}

/** Nothing is left of it, in whatever state it is. */
export async function removeContainer(name: string): Promise<void> {
  await docker(['rm', '--force', '--volumes', name], ASK_MS_MAX);
}

/**
 * Removes the container when our process ends, by SIGKILL too: then the standard input of the shell closes.
 * @returns what ends the watch, once the container is removed
 */
export function guardContainer(name: string): () => void {
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
