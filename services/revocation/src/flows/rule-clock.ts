import { setImmediate as turn } from 'node:timers/promises';
import { type ConcordatError, asConcordatError } from '@concordat/common/domain/errors.js';
import type { RevocationContext } from './context.js';
import { makeRuleOrders } from './make-rule-orders.js';

/** Looks again and again for events whose retention is over. */
export class RuleClock {
  readonly #context: RevocationContext;
  readonly #everyMs: number;
  readonly #onOrders: () => void;
  readonly #closing = new AbortController();
  #running: Promise<void> = Promise.resolve();

  constructor(context: RevocationContext, everyMs: number, onOrders: () => void) {
    this.#context = context;
    this.#everyMs = everyMs;
    this.#onOrders = onOrders;
  }

  start(onDeath: (cause: ConcordatError) => void): void {
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
      await this.#sweep();
      await this.#context.clock.sleep(this.#everyMs, signal).catch(() => undefined);
    }
  }

  async #sweep(): Promise<void> {
    const { clock } = this.#context;
    while (makeRuleOrders(this.#context, 'all', clock.nowMs())) {
      await turn();
      if (this.#closing.signal.aborted) return;
    }
    this.#onOrders();
  }
}
