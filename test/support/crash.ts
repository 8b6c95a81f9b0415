import type { Sqlite } from '@concordat/common/io/store/sqlite.js';
import { StoreHooks } from './store-hooks.js';

/** What a process that is gone would do: nothing. */
export class Crashed extends Error {}

/**
 * Lets the stores below one directory die after their n-th commit: from then on every call on them fails, as if the process
 * had been killed there. What was committed stays on disk for the next start.
 */
export class CrashPlan {
  readonly #dir: string;
  readonly #hooks: StoreHooks;
  #left = Infinity;
  #isDead = false;
  commits = 0;

  constructor(dir: string) {
    this.#dir = dir;
    this.#hooks = new StoreHooks({
      used: (store) => this.#demandAlive(store),
      committed: (store) => this.#committed(store),
    });
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Counts commits from now on, and dies after the n-th. */
  arm(n = Infinity): void {
    this.commits = 0;
    this.#left = n;
  }

  /** A new process. */
  revive(): void {
    this.#isDead = false;
    this.#left = Infinity;
  }

  uninstall(): void {
    this.#hooks.uninstall();
  }

  #demandAlive({ file }: Sqlite): void {
    if (this.#isDead && file.startsWith(this.#dir)) throw new Crashed('this process is gone');
  }

  #committed({ file }: Sqlite): void {
    if (!file.startsWith(this.#dir)) return;
    this.commits += 1;
    this.#left -= 1;
    if (this.#left > 0) return;
    this.#isDead = true;
    throw new Crashed('killed here');
  }
}
