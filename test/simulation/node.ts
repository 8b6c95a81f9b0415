import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { Served } from '@concordat/common/io/rpc/server.js';
import type { Sqlite } from '@concordat/common/io/store/sqlite.js';
import {
  type NodePorts,
  type NodeSettings,
  type RunningNode,
  startNode,
} from '@concordat/node/service.js';
import { type Mounted, type SimulatedDisks, fastTmp, filesIn, writeFiles } from './disk.js';
import { SimulatedProcess } from './process.js';
import type { Scheduler } from './scheduler.js';

export interface SimulatedNodeParts {
  readonly member: MemberId;
  readonly scheduler: Scheduler;
  readonly disks: SimulatedDisks;
  readonly settings: Omit<NodeSettings, 'dataDir'>;
  readonly portsOf: (process: SimulatedProcess, life: number) => Omit<NodePorts, 'listen'>;
  /** after each commit of the node, before it may die of it */
  readonly onCommit: (store: Sqlite) => void;
  readonly onDeath: () => void;
  /** it ended although nobody killed it */
  readonly onFailure: (cause: unknown) => void;
}

/** The shipped node on simulated ports: it can be killed at any time, and started again on what its disk has. */
export class SimulatedNode {
  readonly member: MemberId;
  readonly #parts: SimulatedNodeParts;
  readonly #root = mkdtempSync(join(fastTmp, 'concordat-sim-'));
  #files: ReadonlyMap<string, Uint8Array>;
  #mounted: Mounted | undefined;
  #served: readonly Served[] = [];
  #running: RunningNode | undefined;
  #lives = 0;
  #dieAfter = Infinity;

  constructor(parts: SimulatedNodeParts, files: ReadonlyMap<string, Uint8Array>) {
    this.member = parts.member;
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

  /** It dies after so many more commits. */
  dieAfter(commits: number): void {
    this.#dieAfter = commits;
  }

  /** Begins a life; resolves when it serves, or has died before. */
  async start(): Promise<void> {
    const { scheduler, disks, settings, member, onFailure } = this.#parts;
    this.#buryLast();
    this.#lives += 1;
    const dir = join(this.#root, String(this.#lives));
    writeFiles(dir, this.#files);
    const process = new SimulatedProcess(member, scheduler);
    const mounted = { dir, process, committed: (store: Sqlite) => this.#committed(store) };
    this.#mounted = mounted;
    process.atDeath(() => {
      this.#files = filesIn(dir);
      this.#running = undefined;
      this.#parts.onDeath();
    });
    disks.mount(mounted);
    const ports = this.#parts.portsOf(process, this.#lives);
    const listen: NodePorts['listen'] = async (services) => {
      this.#served = services;
      return { port: 1, close: async () => undefined };
    };
    const death = new Promise<undefined>((resolve) => process.atDeath(() => resolve(undefined)));
    try {
      const starting = startNode({ ...settings, dataDir: dir }, { ...ports, listen });
      starting.catch(() => undefined); // of a dead process nobody is told
      this.#running = await Promise.race([starting, death]);
      void this.#running?.died.then((cause) => {
        if (process.isAlive) onFailure(cause);
      });
    } catch (cause) {
      if (process.isAlive) onFailure(cause);
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
