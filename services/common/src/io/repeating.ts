import { asConcordatError } from '../domain/errors.js';
import type { Clock } from '../domain/ports.js';

/** Does a piece of work again and again, with a rest of `everyMs` after each, until it is closed. */
export class Repeating {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #work: (signal: AbortSignal) => Promise<void>;
  readonly #closing = new AbortController();
  #running: Promise<void> = Promise.resolve();

  /** @param work stops soon after its signal; what it throws ends the repeating */
  constructor(clock: Clock, everyMs: number, work: (signal: AbortSignal) => Promise<void>) {
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#work = work;
  }

  start(onDeath: (cause: Error) => void): void {
    this.#running = this.#run().catch((cause: unknown) => {
      onDeath(asConcordatError(cause));
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.#work(signal);
      await this.#clock.sleep(this.#everyMs, signal).catch(() => undefined);
    }
  }
}
