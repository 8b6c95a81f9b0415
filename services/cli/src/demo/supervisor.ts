import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { Clock } from '@concordat/common/domain/ports.js';
import { SERVICE_NODE_OPTIONS } from '../io/run-service.js';

export interface ProcessPlan {
  readonly name: string;
  readonly main: string;
  readonly env: Readonly<Record<string, string>>;
}

const RESTARTS_MAX = 16;
const RESTART_PAUSE_MS = 200;
/** While a broker comes back on a busy machine, a service that ends for lack of it is not started in vain all the time. */
const RESTART_PAUSE_MS_MAX = 3_000;
const STOP_MS = 15_000;

/** Runs one service process and starts it again when it dies, as an operator's supervisor would. */
export class Supervised {
  readonly name: string;
  readonly #plan: ProcessPlan;
  readonly #logFile: string;
  readonly #clock: Clock;
  readonly #onFailure: (cause: ConcordatError) => void;
  #child: ChildProcess | undefined;
  #stopping = false;
  restarts = 0;

  constructor(
    plan: ProcessPlan,
    options: {
      readonly logsDir: string;
      readonly clock: Clock;
      readonly onFailure: (cause: ConcordatError) => void;
    },
  ) {
    mkdirSync(options.logsDir, { recursive: true });
    this.name = plan.name;
    this.#plan = plan;
    this.#logFile = join(options.logsDir, `${plan.name}.log`);
    this.#clock = options.clock;
    this.#onFailure = options.onFailure;
  }

  /** Starts it, also after it was stopped. */
  start(): void {
    this.#stopping = false;
    const log = openSync(this.#logFile, 'a');
    const child = spawn(process.execPath, [...SERVICE_NODE_OPTIONS, this.#plan.main], {
      env: this.#plan.env,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#child = child;
    child.once('exit', (code, signal) => {
      if (!this.#stopping) void this.#again(signal ?? `exit code ${String(code)}`);
    });
  }

  /** SIGKILL, as a crash. One that is about to be started again is killed when it runs. Resolves when it is gone. */
  async kill(): Promise<void> {
    while (!this.#isRunning()) {
      if (this.#stopping) return;
      await this.#clock.sleep(RESTART_PAUSE_MS);
    }
    const child = this.#child;
    if (!child) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (!child || !this.#isRunning()) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await gone;
    clearTimeout(timer);
  }

  #isRunning(): boolean {
    const child = this.#child;
    return child?.exitCode === null && child.signalCode === null;
  }

  async #again(how: string): Promise<void> {
    this.restarts += 1;
    if (this.restarts > RESTARTS_MAX) {
      const text = `${this.name} ended ${String(this.restarts)} times, last by ${how}: see ${this.#logFile}`;
      this.#onFailure(new ConcordatError('PEER_UNAVAILABLE', text));
      return;
    }
    const pauseMs = Math.min(RESTART_PAUSE_MS * this.restarts, RESTART_PAUSE_MS_MAX);
    await this.#clock.sleep(pauseMs);
    if (!this.#stopping && !this.#isRunning()) this.start();
  }
}
