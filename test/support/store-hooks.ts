import { Sqlite } from '@concordat/common/io/store/sqlite.js';

const WRITES = /^\s*(?:INSERT|UPDATE|DELETE|REPLACE)/i;

/** What a test is told of every store in this process; what it throws, the caller of the store gets. */
export interface StoreWatch {
  /** before each call */
  readonly used: (store: Sqlite) => void;
  /** before each commit outside of another transaction that writes: what it throws, undoes it */
  readonly committing?: (store: Sqlite) => void;
  /** after each commit outside of another transaction, and after a journal was emptied */
  readonly committed: (store: Sqlite) => void;
}

/** Stands between the stores of this process and their callers. One at a time. */
export class StoreHooks {
  readonly #watch: StoreWatch;
  readonly #depth = new WeakMap<Sqlite, number>();
  /** stores in whose present transaction something was written */
  readonly #written = new WeakSet<Sqlite>();
  readonly #original = {
    transaction: Sqlite.prototype.transaction,
    run: Sqlite.prototype.run,
    all: Sqlite.prototype.all,
    truncateJournal: Sqlite.prototype.truncateJournal,
  };

  constructor(watch: StoreWatch) {
    this.#watch = watch;
    this.#install();
  }

  uninstall(): void {
    Object.assign(Sqlite.prototype, this.#original);
  }

  /** Is a transaction of this store open? */
  isIn(store: Sqlite): boolean {
    return (this.#depth.get(store) ?? 0) > 0;
  }

  #install(): void {
    const { transaction, run, all, truncateJournal } = this.#original;
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- the replaced methods have a `this` of their own
    const hooks = this;
    const watch = this.#watch;
    Sqlite.prototype.transaction = function <T>(this: Sqlite, work: () => T): T {
      watch.used(this);
      const depth = hooks.#depth.get(this) ?? 0;
      hooks.#depth.set(this, depth + 1);
      try {
        const result = transaction.call(this, () => {
          const done = work();
          if (depth === 0 && hooks.#written.delete(this)) watch.committing?.(this);
          return done;
        }) as T;
        if (depth === 0) watch.committed(this);
        return result;
      } finally {
        hooks.#depth.set(this, depth);
      }
    };
    Sqlite.prototype.run = function (this: Sqlite, sql, ...params) {
      watch.used(this);
      if (WRITES.test(sql)) {
        if (hooks.isIn(this)) hooks.#written.add(this);
        else watch.committing?.(this);
      }
      const changes = run.call(this, sql, ...params);
      if (!hooks.isIn(this) && WRITES.test(sql)) watch.committed(this);
      return changes;
    };
    Sqlite.prototype.all = function (this: Sqlite, sql, ...params) {
      watch.used(this);
      return all.call(this, sql, ...params);
    };
    Sqlite.prototype.truncateJournal = function (this: Sqlite) {
      watch.used(this);
      truncateJournal.call(this);
      watch.committed(this);
    };
  }
}
