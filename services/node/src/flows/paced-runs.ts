import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '@concordat/common/domain/ports.js';

/**
 * Does one piece of work for many callers at once, never twice at a time: a run begins at least `pauseMs` after the one
 * before has ended, so that who calls in between shares it. A call after a rest is served at once.
 */
export class PacedRuns {
  readonly #clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
  readonly #pauseMs: number;
  readonly #work: () => void | Promise<void>;
  #next: Promise<void> | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #endedMs = -Infinity;

  constructor(
    clock: Pick<Clock, 'monotonicMs' | 'sleep'>,
    pauseMs: number,
    work: () => void | Promise<void>,
  ) {
    this.#clock = clock;
    this.#pauseMs = pauseMs;
    this.#work = work;
  }

  /** Resolves when a run has ended that began after this call; rejects as that run did. */
  join(): Promise<void> {
    if (!this.#next) {
      this.#next = this.#run(this.#running);
      this.#running = this.#next.catch(() => undefined);
    }
    return this.#next;
  }

  /** Waits for the run under way, and for the one that was asked for. */
  async close(): Promise<void> {
    await this.#running;
  }

  async #run(before: Promise<unknown>): Promise<void> {
    await before;
    const waitMs = this.#endedMs + this.#pauseMs - this.#clock.monotonicMs();
    if (waitMs > 0) await this.#clock.sleep(waitMs);
    else await turn();
    // who calls from now on is served by the next run
    this.#next = undefined;
    try {
      await this.#work();
    } finally {
      this.#endedMs = this.#clock.monotonicMs();
    }
  }
}
