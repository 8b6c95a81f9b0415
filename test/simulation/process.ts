import type { Scheduler } from './scheduler.js';

/** One life of a process: after its death nothing reaches it, and nothing it does has an effect. */
export class SimulatedProcess {
  readonly name: string;
  readonly #scheduler: Scheduler;
  readonly #atDeath: (() => void)[] = [];
  #isAlive = true;

  constructor(name: string, scheduler: Scheduler) {
    this.name = name;
    this.#scheduler = scheduler;
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  atDeath(work: () => void): void {
    this.#atDeath.push(work);
  }

  kill(): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.#scheduler.drop(this);
    for (const work of this.#atDeath.splice(0)) work();
  }
}
