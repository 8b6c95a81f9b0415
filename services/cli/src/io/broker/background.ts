import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { repositoryPath } from '../home.js';

const run = promisify(execFile);
const CONCORDAT = repositoryPath('services/cli/bin/concordat.js');
const STOP_MS_MAX = 30_000;
const POLL_MS = 100;

/** A `concordat broker start` that goes on when we end. */
export interface Background {
  readonly pid: number;
  readonly address: string;
  /** where the broker came from, for people */
  readonly from: string;
}

/** @returns the one that was begun for this directory and still runs */
export async function findBackground(brokerDir: string): Promise<Background | undefined> {
  const text = await readFile(noteOf(brokerDir), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const noted = JSON.parse(text) as Background;
  return (await isBroker(noted.pid)) ? noted : undefined;
}

/** @throws ConcordatError BROKER_UNAVAILABLE with what it said, when it ends before it is ready */
export async function beginBackground(about: {
  readonly dir: string;
  readonly brokerDir: string;
  readonly port: number;
}): Promise<Background> {
  const { dir, brokerDir, port } = about;
  mkdirSync(brokerDir, { recursive: true });
  const logFile = join(brokerDir, 'start.log');
  const log = openSync(logFile, 'w');
  const args = ['broker', 'start', '--output', 'json', '--dir', dir, '--port', String(port)];
  const child: ChildProcess = spawn(process.execPath, [CONCORDAT, ...args], {
    stdio: ['ignore', 'pipe', log],
    detached: true,
  });
  closeSync(log);
  const { stdout, pid } = child;
  if (stdout === null || pid === undefined) throw new Error('the broker has no pipe');
  const ready = once(createInterface(stdout), 'line') as Promise<[string]>;
  const [line] = await Promise.race([ready, once(child, 'exit').then(() => [undefined])]);
  stdout.destroy();
  child.unref();
  if (line === undefined) {
    const said = (await readFile(logFile, 'utf8')).trim();
    throw new ConcordatError('BROKER_UNAVAILABLE', `the broker did not start: ${said}`);
  }
  const background: Background = { pid, ...(JSON.parse(line) as Omit<Background, 'pid'>) };
  await writeFile(noteOf(brokerDir), `${JSON.stringify(background)}\n`);
  return background;
}

/** Stops it, and waits until it is gone. */
export async function endBackground(brokerDir: string, { pid }: Background): Promise<void> {
  process.kill(pid, 'SIGTERM');
  const deadlineMs = performance.now() + STOP_MS_MAX;
  while (await isBroker(pid)) {
    if (performance.now() > deadlineMs) {
      const text = `the broker, process ${String(pid)}, did not stop within ${String(STOP_MS_MAX / 1000)} s`;
      throw new ConcordatError('DEADLINE_EXCEEDED', text);
    }
    await delay(POLL_MS);
  }
  await rm(noteOf(brokerDir), { force: true });
}

function noteOf(brokerDir: string): string {
  return join(brokerDir, 'background.json');
}

/** Ids of processes are used again: only one that runs this command is ours. */
async function isBroker(pid: number): Promise<boolean> {
  const id = String(pid);
  // a small image has /proc and no ps; other systems have ps and no /proc
  const command = await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() =>
    run('ps', ['-o', 'args=', '-p', id]).then(
      ({ stdout }) => stdout,
      () => '', // no such process
    ),
  );
  return /broker[\0 ]start/.test(command);
}
