import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Sqlite } from '@concordat/common/io/store/sqlite.js';
import Libsql from 'libsql';
import { Crashed } from '../support/crash.js';
import { StoreHooks } from '../support/store-hooks.js';
import type { SimulatedProcess } from './process.js';

/** Where files are only in memory, if there is such a place: a simulated power cut needs no real disk. */
export const fastTmp = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

/** One data directory and the process that works on it. */
export interface Mounted {
  readonly dir: string;
  readonly process: SimulatedProcess;
  /** after every commit; what is there now survives a power cut */
  readonly committed: (store: Sqlite) => void;
}

/**
 * The disks of all processes of a simulation, on real files. A process that dies leaves what it had committed: its
 * directory as it was in that moment, journals included, is what the next one finds.
 */
export class SimulatedDisks {
  /** names of processes whose disk is full: nothing is committed there */
  readonly full = new Set<string>();
  readonly #mounted = new Set<Mounted>();
  readonly #stores = new Map<Sqlite, Mounted>();
  readonly #locks = new Map<Libsql.Database, Mounted>();
  #newest: Mounted | undefined;
  readonly #hooks: StoreHooks;
  readonly #exec = Libsql.prototype.exec;

  constructor() {
    this.#hooks = new StoreHooks({
      used: (store) => {
        if (this.#of(store)?.process.isAlive === false) throw new Crashed('this process is gone');
      },
      committing: (store) => {
        const mounted = this.#of(store);
        if (!mounted || !this.full.has(mounted.process.name)) return;
        throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
      },
      committed: (store) => {
        const mounted = this.#of(store);
        if (!mounted) return;
        mounted.committed(store);
        if (!mounted.process.isAlive) throw new Crashed('killed here');
      },
    });
    this.#watchLocks();
  }

  /** Call right before the process is started: the next lock is its own. */
  mount(mounted: Mounted): void {
    this.#mounted.add(mounted);
    this.#newest = mounted;
  }

  /** What a dead process leaves to its operating system: files are closed, locks let go of, its directory is not used again. */
  bury(mounted: Mounted): void {
    this.#mounted.delete(mounted);
    for (const [store, at] of this.#stores) {
      if (at !== mounted) continue;
      this.#stores.delete(store);
      closeQuietly(store);
    }
    for (const [lock, at] of this.#locks) {
      if (at !== mounted) continue;
      this.#locks.delete(lock);
      closeQuietly(lock);
    }
    rmSync(mounted.dir, { recursive: true, force: true });
  }

  dispose(): void {
    for (const mounted of [...this.#mounted]) this.bury(mounted);
    this.#hooks.uninstall();
    Libsql.prototype.exec = this.#exec;
  }

  #of(store: Sqlite): Mounted | undefined {
    const known = this.#stores.get(store);
    if (known) return known;
    for (const mounted of this.#mounted) {
      if (!store.file.startsWith(`${mounted.dir}/`)) continue;
      this.#stores.set(store, mounted);
      return mounted;
    }
    return undefined;
  }

  /** The operating system lets go of a dead process's locks. */
  #watchLocks(): void {
    const taken = (lock: Libsql.Database): void => {
      if (this.#newest) this.#locks.set(lock, this.#newest);
    };
    const exec = this.#exec;
    Libsql.prototype.exec = function (this: Libsql.Database, sql: string) {
      if (sql === 'BEGIN EXCLUSIVE') taken(this);
      return exec.call(this, sql);
    };
  }
}

/** Not what only helps running processes to share a file. */
const IN_MEMORY = /-shm$|^instance\.lock/;

/** The files of a data directory by name, as they are now. */
export function filesIn(dir: string, below = ''): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (const entry of readdirSync(join(dir, below), { withFileTypes: true })) {
    const name = join(below, entry.name);
    if (IN_MEMORY.test(entry.name)) continue;
    if (!entry.isDirectory()) files.set(name, readFileSync(join(dir, name)));
    else for (const [inner, bytes] of filesIn(dir, name)) files.set(inner, bytes);
  }
  return files;
}

export function writeFiles(dir: string, files: ReadonlyMap<string, Uint8Array>): void {
  for (const [name, bytes] of files) {
    mkdirSync(join(dir, name, '..'), { recursive: true });
    writeFileSync(join(dir, name), bytes);
  }
}

function closeQuietly(file: { close(): unknown }): void {
  try {
    file.close();
  } catch {
    // it was closed before it died
  }
}
