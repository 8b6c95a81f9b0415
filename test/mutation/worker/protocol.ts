/** What the parent asks of a worker, one at a time. */
export type Question =
  | { readonly kind: 'record'; readonly file: string }
  | {
      readonly kind: 'try';
      readonly mutant: number;
      readonly runs: readonly Run[];
      /** Of work; a worker that is not done then, or waits long, ends itself. */
      readonly limitMs: number;
    };

/** Tests of one file, by their place in it, and what they cost without a mutant. */
export interface Run {
  readonly file: string;
  readonly tests: readonly number[];
  /** Tests in the file when no mutant is chosen. */
  readonly of: number;
  /** Times that a mutant was asked for, over the whole file. */
  readonly asked: number;
  /** Is the mutant asked for already while the file and its modules load? */
  readonly isAtLoad: boolean;
}

/** What one test file does without a mutant. */
export interface Recording {
  readonly kind: 'recorded';
  readonly file: string;
  readonly loadMs: number;
  readonly asked: number;
  /** Mutants asked for while the file and its modules load. */
  readonly load: readonly number[];
  readonly tests: readonly {
    readonly name: string;
    readonly ms: number;
    readonly mutants: readonly number[];
  }[];
  /** A test that fails without any mutant. */
  readonly failed?: string;
}

export type Answer =
  | Recording
  | { readonly kind: 'passed' }
  | {
      readonly kind: 'failed';
      readonly test: string;
      readonly why: string;
      /** `endless`: a loop did not end. `stray`: thrown outside of any test, so perhaps by an earlier mutant. */
      readonly how: 'test' | 'endless' | 'stray';
    };
