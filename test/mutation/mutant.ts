/** One small change to the code of `domain/`, which some test should notice. */
export interface Mutant {
  /** Counted from 1 over all files of a run. */
  readonly id: number;
  /** From the repository's root, with `/`. */
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** The functions and classes around it, from outside in, joined by `.`; empty at the top of a module. */
  readonly in: string;
  readonly operator: string;
  /** The text that is replaced and what stands there instead, each on one line and cut at 160 characters. */
  readonly from: string;
  readonly to: string;
}

/** What a mutant is before it has a number: what stands instead of a node. */
export interface Change {
  readonly operator: string;
  readonly to: string;
}

/** How a mutant ended. `none`: no test reaches it. */
export type Outcome = 'killed' | 'timeout' | 'survived' | 'none';

/** One file with every mutant in it, each chosen by its number while the code runs. */
export interface Instrumented {
  readonly file: string;
  readonly code: string;
  readonly mutants: readonly Mutant[];
}
