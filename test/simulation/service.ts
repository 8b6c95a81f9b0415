import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RpcServer, Served } from '@concordat/common/io/rpc/server.js';
import type { Sqlite } from '@concordat/common/io/store/sqlite.js';
import { type Mounted, type SimulatedDisks, fastTmp, filesIn, writeFiles } from './disk.js';
import { SimulatedProcess } from './process.js';
import type { Scheduler } from './scheduler.js';

/** What the start of a shipped service answers. */
interface Running {
  readonly died: Promise<Error>;
  close(): Promise<void>;
}

/** One life of a service, as its start finds it. */
export interface Life {
  readonly process: SimulatedProcess;
  /** the first is 1 */
  readonly number: number;
  readonly dataDir: string;
  readonly listen: (services: readonly Served[]) => Promise<Pick<RpcServer, 'port' | 'close'>>;
}

export interface SimulatedServiceParts {
  /** as the trace and the network call it */
  readonly name: string;
  readonly scheduler: Scheduler;
  readonly disks: SimulatedDisks;
  /** starts the shipped service */
  readonly begin: (life: Life) => Promise<Running>;
  /** after each commit, before the process may die of it */
  readonly onCommit: (store: Sqlite) => void;
  readonly onDeath: () => void;
  /** it ended although nobody killed it */
  readonly onFailure: (cause: unknown) => void;
}

/** A shipped service on simulated ports: it can be killed at any time, and started again on what its disk has. */
export class SimulatedService {
  readonly name: string;
  readonly #parts: SimulatedServiceParts;
  readonly #root = mkdtempSync(join(fastTmp, 'concordat-sim-'));
  #files: ReadonlyMap<string, Uint8Array>;
  #mounted: Mounted | undefined;
  #served: readonly Served[] = [];
  #running: Running | undefined;
  #lives = 0;
  #dieAfter = Infinity;

  constructor(parts: SimulatedServiceParts, files: ReadonlyMap<string, Uint8Array>) {
    this.name = parts.name;
    this.#parts = parts;
    this.#files = files;
  }

  get process(): SimulatedProcess | undefined {
    return this.#mounted?.process;
  }

  get isServing(): boolean {
    return this.#running !== undefined && this.process?.isAlive === true;
  }

  get served(): readonly Served[] {
    return this.process?.isAlive === true ? this.#served : [];
  }

  get lives(): number {
    return this.#lives;
  }

  /** What its disk has: while it runs what survives if it is killed now. */
  files(): ReadonlyMap<string, Uint8Array> {
    return this.process?.isAlive === true && this.#mounted
      ? filesIn(this.#mounted.dir)
      : this.#files;
  }

  /** Its disk from the next start on: a backup, or nothing. Only while it is dead. */
  restore(files: ReadonlyMap<string, Uint8Array>): void {
    if (this.process?.isAlive === true) throw new Error(`${this.name} runs`);
    this.#files = files;
  }

  /** It dies after so many more commits. */
  dieAfter(commits: number): void {
    this.#dieAfter = commits;
  }

  /** Begins a life; resolves when it serves, or has died before. */
  async start(): Promise<void> {
    const { scheduler, disks, begin, name, onFailure } = this.#parts;
    this.#buryLast();
    this.#lives += 1;
    const dataDir = join(this.#root, String(this.#lives));
    writeFiles(dataDir, this.#files);
    const process = new SimulatedProcess(name, scheduler);
    const committed = (store: Sqlite): void => this.#committed(store);
    this.#mounted = { dir: dataDir, process, committed };
    process.atDeath(() => {
      this.#files = filesIn(dataDir);
      this.#running = undefined;
      this.#parts.onDeath();
    });
    disks.mount(this.#mounted);
    const death = new Promise<undefined>((resolve) => process.atDeath(() => resolve(undefined)));
    const listen: Life['listen'] = async (services) => {
      if (process.isAlive) this.#served = services;
      return { port: 1, close: async () => undefined };
    };
    try {
      const starting = begin({ process, number: this.#lives, dataDir, listen });
      starting.catch(() => undefined); // of a dead process nobody is told
      const running = await Promise.race([starting, death]);
      if (!process.isAlive) return;
      this.#running = running;
      void running?.died.then((cause) => {
        if (process.isAlive) onFailure(cause);
      });
    } catch (cause) {
      if (process.isAlive) onFailure(cause);
    }
  }

  /** Somebody starts it again while it runs, on the same data directory. Rejects as the start does. */
  async startSecond(): Promise<void> {
    const { scheduler, begin } = this.#parts;
    if (!this.#mounted) throw new Error(`${this.name} was never started`);
    const process = new SimulatedProcess(`second ${this.name}`, scheduler);
    const listen: Life['listen'] = async () => ({ port: 1, close: async () => undefined });
    try {
      await begin({ process, number: this.#lives, dataDir: this.#mounted.dir, listen });
    } finally {
      process.kill();
    }
  }

  kill(): void {
    this.process?.kill();
  }

  dispose(): void {
    this.kill();
    this.#buryLast();
    rmSync(this.#root, { recursive: true, force: true });
  }

  #buryLast(): void {
    if (this.#mounted) this.#parts.disks.bury(this.#mounted);
    this.#mounted = undefined;
    this.#served = [];
  }

  #committed(store: Sqlite): void {
    if (!this.process?.isAlive) return;
    this.#parts.onCommit(store);
    this.#dieAfter -= 1;
    if (this.#dieAfter > 0) return;
    this.#dieAfter = Infinity;
    this.kill();
  }
}
