import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberService } from '../domain/service-environment.js';
import { repositoryPath } from './home.js';

export interface ServiceProcess {
  readonly service: MemberService;
  /** the file that Node.js runs */
  readonly main: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface RunOptions {
  /** Ends the services, each in its own way, when it is aborted. */
  readonly stop: AbortSignal;
  /** Told each line that a service writes; without it they write where we do. */
  readonly onLine?: (service: MemberService, line: string) => void;
}

/** Where the built services are, each as `<service>/dist/main.js`. */
export const SERVICES_DIR = repositoryPath('services');

/**
 * Options of Node.js for a service. The services of a member share their machine's processors: helpers of the garbage collector
 * take from the others what they give to one, and a fifth more in all.
 */
export const SERVICE_NODE_OPTIONS = ['--single-threaded-gc'] as const;

/** The entry of a built service. It is started as a process of its own, never imported. */
export function mainOf(service: MemberService, servicesDir = SERVICES_DIR): string {
  const main = join(servicesDir, service, 'dist', 'main.js');
  if (existsSync(main)) return main;
  throw new ConcordatError(
    'CONFIG_INVALID',
    `services/${service}/dist/main.js: expected the built service, came nothing; run make build`,
  );
}

function start({ service, main, env }: ServiceProcess, onLine: RunOptions['onLine']): ChildProcess {
  const stdio = onLine ? 'pipe' : 'inherit';
  const child = spawn(process.execPath, [...SERVICE_NODE_OPTIONS, main], {
    env,
    stdio: ['ignore', stdio, stdio],
  });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface(stream).on('line', (line) => onLine?.(service, line));
  }
  return child;
}

/** As a shell counts it: a process that a signal ended has 128 and the signal's number. */
function codeOf(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? 128 + (signal ? constants.signals[signal] : 0);
}

/**
 * Runs services of one member until they end. The first that ends takes the others with it: a member without one of its
 * services is no member.
 *
 * @returns the exit code of the first that ended
 */
export async function runServices(
  processes: readonly ServiceProcess[],
  { stop, onLine }: RunOptions,
): Promise<number> {
  const children = processes.map((one) => start(one, onLine));
  const exits = children.map(
    (child) =>
      new Promise<number>((resolve, reject) => {
        child.once('error', reject);
        child.once('exit', (code, signal) => resolve(codeOf(code, signal)));
      }),
  );
  // SIGTERM, whatever we were told: an interrupt at the keyboard has reached the services by itself.
  const endAll = (): void => {
    for (const child of children) child.kill('SIGTERM');
  };
  stop.addEventListener('abort', endAll, { once: true });
  const first = await Promise.race(exits);
  endAll();
  await Promise.all(exits);
  return first;
}
