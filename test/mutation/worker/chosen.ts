/** Thrown out of a loop that goes on far longer than it does without the mutant. */
export class EndlessLoop extends Error {
  override readonly name = 'EndlessLoop';
}

/** Which mutant is chosen, and which were asked for. */
export class Chosen {
  #mutant = 0;
  #asked = 0;
  #most = Infinity;
  #isEndless = false;
  readonly #seen: Uint8Array;

  constructor(mutants: number) {
    this.#seen = new Uint8Array(mutants + 1);
  }

  /** `most`: times that mutants may be asked for until it is a loop without end. */
  choose(mutant: number, most: number): void {
    this.#mutant = mutant;
    this.#asked = 0;
    this.#most = most;
    this.#isEndless = false;
    this.#seen.fill(0);
  }

  /** As the code of `domain/` calls it. */
  readonly isChosen = (id: number): boolean => {
    this.#seen[id] = 1;
    this.#asked += 1;
    if (this.#asked > this.#most) {
      this.#isEndless = true;
      throw new EndlessLoop('a loop did not end');
    }
    return id === this.#mutant;
  };

  get asked(): number {
    return this.#asked;
  }

  get isEndless(): boolean {
    return this.#isEndless;
  }

  /** The mutants asked for since the last call. */
  takeSeen(): number[] {
    const ids: number[] = [];
    this.#seen.forEach((seen, id) => {
      if (seen === 1) ids.push(id);
    });
    this.#seen.fill(0);
    return ids;
  }
}
