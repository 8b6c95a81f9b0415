import { Sqlite } from '@concordat/common/io/store/sqlite.js';

/** What a process that is gone would do: nothing. */
class Crashed extends Error {}

const WRITES = /^\s*(?:INSERT|UPDATE|DELETE|REPLACE)/i;

/**
 * Lets the stores below one directory die after their n-th commit: from then on every call on them fails, as if the process
 * had been killed there. What was committed stays on disk for the next start.
 */
export class CrashPlan {
  readonly #dir: string;
  readonly #depth = new WeakMap<Sqlite, number>();
  readonly #original = {
    transaction: Sqlite.prototype.transaction,
    run: Sqlite.prototype.run,
    all: Sqlite.prototype.all,
    truncateJournal: Sqlite.prototype.truncateJournal,
  };
  #left = Infinity;
  #isDead = false;
  commits = 0;

  constructor(dir: string) {
    this.#dir = dir;
    this.#install();
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
    Object.assign(Sqlite.prototype, this.#original);
  }

  #install(): void {
    const { transaction, run, all, truncateJournal } = this.#original;
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- the replaced methods have a `this` of their own
    const plan = this;
    Sqlite.prototype.transaction = function <T>(this: Sqlite, work: () => T): T {
      plan.#demandAlive(this);
      const depth = plan.#depth.get(this) ?? 0;
      plan.#depth.set(this, depth + 1);
      try {
        const result = transaction.call(this, work) as T;
        if (depth === 0) plan.#committed(this);
        return result;
      } finally {
        plan.#depth.set(this, depth);
      }
    };
    Sqlite.prototype.run = function (this: Sqlite, sql, ...params) {
      plan.#demandAlive(this);
      const changes = run.call(this, sql, ...params);
      if ((plan.#depth.get(this) ?? 0) === 0 && WRITES.test(sql)) plan.#committed(this);
      return changes;
    };
    Sqlite.prototype.all = function (this: Sqlite, sql, ...params) {
      plan.#demandAlive(this);
      return all.call(this, sql, ...params);
    };
    Sqlite.prototype.truncateJournal = function (this: Sqlite) {
      plan.#demandAlive(this);
      truncateJournal.call(this);
      plan.#committed(this);
    };
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
