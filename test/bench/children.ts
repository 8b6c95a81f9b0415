import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SERVICE_NODE_OPTIONS } from '@concordat/cli/io/run-service.js';
import type { Answer, Calls, Question, Remote } from './calls.js';
import { cpuMs, peakRssMiB } from './proc.js';

const WORKER = fileURLToPath(new URL('./worker.js', import.meta.url));
const STOP_MS_MAX = 30_000;
const LOG_LINES = 5;

export interface ChildPlan {
  /** what the report calls it: `origin-node` */
  readonly name: string;
  /** options of Node.js before the file: a profiler's */
  readonly nodeOptions: readonly string[];
}

/** A process that the bench has started, and what it has used. */
export class Child {
  readonly name: string;
  readonly #process: ChildProcess;
  #stopping = false;
  #peakMiB = 0;

  constructor(
    name: string,
    child: ChildProcess,
    onDeath: (cause: Error) => void,
    why: () => string,
  ) {
    this.name = name;
    this.#process = child;
    child.once('error', onDeath);
    child.once('exit', (code, signal) => {
      if (this.#stopping) return;
      onDeath(new Error(`${name} ended with ${signal ?? `exit code ${String(code)}`}: ${why()}`));
    });
  }

  get pid(): number {
    const { pid } = this.#process;
    if (pid === undefined) throw new Error(`${this.name} has no process`);
    return pid;
  }

  /** CPU time so far, in ms. */
  cpuMs(): Promise<number> {
    return cpuMs(this.pid);
  }

  /** The most memory it has held so far; the last known once it has ended. */
  async peakRssMiB(): Promise<number> {
    if (!this.#isOver()) this.#peakMiB = await peakRssMiB(this.pid);
    return this.#peakMiB;
  }

  /** SIGTERM, so that a profile is written, then SIGKILL. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#isOver()) return;
    await this.peakRssMiB().catch(() => undefined);
    const gone = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), STOP_MS_MAX);
    await gone;
    clearTimeout(timer);
  }

  #isOver(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }
}

/** Starts a service as its operator would: a process with nothing but its settings; it writes to a file. */
export function startService(
  plan: ChildPlan & { readonly main: string; readonly env: Readonly<Record<string, string>> },
  logsDir: string,
  onDeath: (cause: Error) => void,
): Child {
  mkdirSync(logsDir, { recursive: true });
  const logFile = join(logsDir, `${plan.name}.log`);
  const log = openSync(logFile, 'a');
  const child = spawn(process.execPath, [...SERVICE_NODE_OPTIONS, ...plan.nodeOptions, plan.main], {
    env: plan.env,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  return new Child(plan.name, child, onDeath, () => lastLines(logFile));
}

function lastLines(file: string): string {
  return readFileSync(file, 'utf8').trim().split('\n').slice(-LOG_LINES).join('\n');
}

export interface WorkerProcess<C extends Calls> {
  readonly child: Child;
  readonly calls: Remote<C>;
}

/** Starts a process of the bench's own: `role` says which part of the load it is. */
export async function startWorker<C extends Calls>(
  plan: ChildPlan & { readonly role: string },
  onDeath: (cause: Error) => void,
): Promise<WorkerProcess<C>> {
  const worker = fork(WORKER, [plan.role], {
    execArgv: [...plan.nodeOptions],
    serialization: 'advanced',
  });
  const child = new Child(plan.name, worker, onDeath, () => 'see above');
  const waiting = new Map<number, (answer: Answer) => void>();
  const ready = new Promise<void>((resolve) => {
    worker.on('message', (message: Answer | 'ready') => {
      if (message === 'ready') resolve();
      else waiting.get(message.id)?.(message);
    });
  });
  let last = 0;
  const ask = (call: string, argument: unknown): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = (last += 1);
      waiting.set(id, (answer) => {
        waiting.delete(id);
        if ('error' in answer) reject(new Error(`${plan.name}, ${call}: ${answer.error}`));
        else resolve(answer.value);
      });
      worker.send({ id, call, argument } satisfies Question);
    });
  await ready;
  const calls = new Proxy({} as Remote<C>, {
    get: (_target, call) => (argument: unknown) => ask(String(call), argument),
  });
  return { child, calls };
}
