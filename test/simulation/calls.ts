import { type Faults, callFault } from './faults.js';
import type { SimulatedProcess } from './process.js';
import type { Scheduler } from './scheduler.js';

/** Calls between processes: request and answer wait for their turns, and either may be lost. */
export class SimulatedNetwork {
  readonly #scheduler: Scheduler;
  readonly #faults: Faults;

  constructor(scheduler: Scheduler, faults: Faults) {
    this.#scheduler = scheduler;
    this.#faults = faults;
  }

  /**
   * @param server who answers when the request arrives; undefined: nobody does
   * @param answer what the server does, and sends back
   */
  async call<T>(
    caller: SimulatedProcess,
    server: () => SimulatedProcess | undefined,
    label: string,
    answer: () => Promise<T>,
  ): Promise<T> {
    const fate = this.#faults.next();
    const outcome = await this.#scheduler.turn(caller, `asks ${label}, ${fate}`, () => {
      const asked = server();
      if (fate === 'lost' || !asked?.isAlive) throw callFault();
      return { of: outcomeOf(asked, answer()) };
    });
    const came = await outcome.of;
    return this.#scheduler.turn(caller, `is answered ${label}, ${came.kind}, ${fate}`, () => {
      if (fate === 'unknown' || came.kind === 'died') throw callFault();
      if (came.kind === 'failed') throw came.cause;
      return came.value;
    });
  }
}

type Outcome<T> =
  | { readonly kind: 'answered'; readonly value: T }
  | { readonly kind: 'failed'; readonly cause: unknown }
  | { readonly kind: 'died' };

function outcomeOf<T>(server: SimulatedProcess, answer: Promise<T>): Promise<Outcome<T>> {
  return new Promise((resolve) => {
    server.atDeath(() => resolve({ kind: 'died' }));
    answer.then(
      (value) => resolve(server.isAlive ? { kind: 'answered', value } : { kind: 'died' }),
      (cause: unknown) => resolve(server.isAlive ? { kind: 'failed', cause } : { kind: 'died' }),
    );
  });
}
