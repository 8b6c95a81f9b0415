import { ConcordatError } from '@concordat/common/domain/errors.js';
import { type Fates, callFault } from './fates.js';
import type { SimulatedProcess } from './process.js';
import type { Scheduler } from './scheduler.js';

export interface CallTerms {
  /** from the question until the answer; none: it is waited for as long as the server lives */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Calls between processes: request and answer wait for their turns, and either may be lost. */
export class SimulatedNetwork {
  readonly #scheduler: Scheduler;
  readonly #faults: Fates;

  constructor(scheduler: Scheduler, faults: Fates) {
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
    terms: CallTerms = {},
  ): Promise<T> {
    const passing = { from: caller.name, to: server()?.name ?? '' };
    const fate = this.#faults.isCut(passing) ? 'lost' : this.#faults.next(passing);
    if (fate === 'late') await this.#scheduler.sleep(caller, this.#faults.lateMs());
    const outcome = await this.#scheduler.turn(caller, `asks ${label}, ${fate}`, () => {
      const asked = server();
      if (fate === 'lost' || !asked?.isAlive) throw callFault();
      const first = answer();
      if (fate === 'twice') void answer().catch(() => undefined); // to the second one nobody listens
      return { of: this.#inTime(caller, outcomeOf(asked, first), terms) };
    });
    const came = await outcome.of;
    return this.#scheduler.turn(caller, `is answered ${label}, ${came.kind}, ${fate}`, () => {
      if (fate === 'unknown' || came.kind === 'died') throw callFault();
      if (came.kind === 'failed') throw came.cause;
      return came.value;
    });
  }

  /** The caller gives up at its deadline, or when it wants to; the server knows nothing of it. */
  #inTime<T>(
    caller: SimulatedProcess,
    outcome: Promise<Outcome<T>>,
    { timeoutMs, signal }: CallTerms,
  ): Promise<Outcome<T>> {
    if (timeoutMs === undefined && signal === undefined) return outcome;
    return new Promise((resolve) => {
      const late = (): void => {
        end({ kind: 'failed', cause: callFault() });
      };
      const cancelled = (): void => {
        const cause = new ConcordatError('CALL_CANCELLED', 'given up by its caller');
        end({ kind: 'failed', cause });
      };
      const stop =
        timeoutMs === undefined ? undefined : this.#scheduler.after(caller, timeoutMs, late);
      const end = (came: Outcome<T>): void => {
        stop?.();
        signal?.removeEventListener('abort', cancelled);
        resolve(came);
      };
      signal?.addEventListener('abort', cancelled, { once: true });
      void outcome.then(end);
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
