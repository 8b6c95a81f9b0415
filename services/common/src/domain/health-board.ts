/**
 * What has to hold before calls can be answered as they should be. `started`: rules and keys are read, what a crash left is
 * finished, tails are adopted · `reading`: the own lanes are taken up · `broker`: it answered the last time it was asked.
 */
const CONDITIONS = ['started', 'reading', 'broker'] as const;
export type Condition = (typeof CONDITIONS)[number];

export type ServingStatus = 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';

/** What each service of a process needs, by its full name. */
export type Needs = Readonly<Record<string, readonly Condition[]>>;

/** Who is ready, and who is not: nothing is until it was said to be. */
export class HealthBoard {
  readonly #needs: ReadonlyMap<string, readonly Condition[]>;
  readonly #holding = new Set<Condition>();
  readonly #listeners = new Set<() => void>();

  constructor(needs: Needs) {
    // the empty name is the whole process
    this.#needs = new Map([['', CONDITIONS], ...Object.entries(needs)]);
  }

  set(condition: Condition, holds: boolean): void {
    if (this.#holding.has(condition) === holds) return;
    if (holds) this.#holding.add(condition);
    else this.#holding.delete(condition);
    for (const listener of this.#listeners) listener();
  }

  /** Nothing is ready any more. */
  stop(): void {
    for (const condition of CONDITIONS) this.set(condition, false);
  }

  statusOf(service: string): ServingStatus {
    const needs = this.#needs.get(service);
    if (!needs) return 'SERVICE_UNKNOWN';
    return needs.every((one) => this.#holding.has(one)) ? 'SERVING' : 'NOT_SERVING';
  }

  /** @returns ends the listening */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
