import { setImmediate as turn } from 'node:timers/promises';
import type { NodeContext } from './context.js';
import { finishBurials } from './finish-burials.js';

/** Deletions begin at least this long after those before them, so that orders that come together share them (DESIGN 4: at most 50 ms). */
const GROUP_MS = 20;

/** Finishes burials for many callers at once: emptying two journals costs more than deleting what a hundred orders cover. */
export class Burials {
  readonly #context: NodeContext;
  #next: Promise<void> | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #endedMs = -Infinity;

  constructor(context: NodeContext) {
    this.#context = context;
  }

  /** Resolves when nothing is left of what was buried before this call; rejects when a deletion failed. */
  finish(): Promise<void> {
    if (!this.#next) {
      this.#next = this.#run();
      this.#running = this.#next.catch(() => undefined);
    }
    return this.#next;
  }

  /** Waits for the deletions under way. */
  async close(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock } = this.#context;
    const waitMs = this.#endedMs + GROUP_MS - clock.monotonicMs();
    if (waitMs > 0) await clock.sleep(waitMs);
    else await turn();
    // what is buried from now on is the next run's
    this.#next = undefined;
    try {
      finishBurials(this.#context);
    } finally {
      this.#endedMs = clock.monotonicMs();
    }
  }
}
