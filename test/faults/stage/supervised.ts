import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { SERVICE_NODE_OPTIONS } from '@concordat/cli/io/run-service.js';

const RESTART_MS = 300;
const STOP_MS_MAX = 15_000;

export interface ProcessPlan {
  /** `un-node` */
  readonly name: string;
  readonly main: string;
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
}

/** A service as its operator's supervisor keeps it: whatever ends it, it is started again, unless it is to be down. */
export class Supervised {
  readonly plan: ProcessPlan;
  /** how often it was started */
  starts = 0;
  /** how it ended each time: an exit code, or a signal's name */
  readonly ends: string[] = [];
  /** what a file of it may hold, in bytes, from its next start on: a full disk where none can be made */
  fileBytesMax: number | undefined;
  #child: ChildProcess | undefined;
  #wanted = false;
  #life: Promise<void> = Promise.resolve();

  constructor(plan: ProcessPlan) {
    this.plan = plan;
  }

  up(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#life = this.#live();
  }

  /** Ends it for good, until `up`. Resolves when it is gone. */
  async down(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    this.#wanted = false;
    this.signal('SIGCONT');
    this.signal(signal);
    const late = setTimeout(() => this.signal('SIGKILL'), STOP_MS_MAX);
    await this.#life;
    clearTimeout(late);
  }

  /** To the process as it runs; without one nothing happens. SIGKILL is a crash: it is started again. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  log(): string {
    return readFileSync(this.plan.logFile, 'utf8');
  }

  async #live(): Promise<void> {
    while (this.#wanted) {
      const child = spawnService(this.plan, this.fileBytesMax);
      this.#child = child;
      this.starts += 1;
      await once(child, 'exit');
      this.#child = undefined;
      this.ends.push(child.signalCode ?? String(child.exitCode));
      await delay(RESTART_MS);
    }
  }
}

/** A unit of `ulimit -f` in sh. */
const BLOCK_BYTES = 512;

/** The service's own program, with nothing but its settings. */
export function spawnService(
  { main, env, logFile }: Omit<ProcessPlan, 'name'>,
  fileBytesMax?: number,
): ChildProcess {
  const log = openSync(logFile, 'a');
  const command = [process.execPath, ...SERVICE_NODE_OPTIONS, main];
  const limited = fileBytesMax === undefined ? [] : limitFiles(fileBytesMax);
  const [program = '', ...args] = [...limited, ...command];
  const child = spawn(program, args, { env, stdio: ['ignore', log, log] });
  closeSync(log);
  return child;
}

/** Writing beyond it fails as on a full disk: Node.js ignores the signal that comes with it. */
function limitFiles(bytes: number): string[] {
  return ['/bin/sh', '-c', 'ulimit -f "$0"; exec "$@"', String(Math.ceil(bytes / BLOCK_BYTES))];
}
