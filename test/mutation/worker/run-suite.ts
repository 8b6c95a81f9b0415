import type { Suite, Test } from './suites.js';

/** What happens around each test of a run. */
export interface Watch {
  /** Before the hooks and after everything of one test, or of a suite's `beforeAll` (`undefined`). */
  begins(test: Test | undefined, suites: readonly Suite[]): void;
  ends(test: Test | undefined, suites: readonly Suite[]): void;
}

/** A test's own failure; whatever was thrown. */
export interface Failure {
  readonly test: string;
  readonly cause: unknown;
}

export function testsOf(suite: Suite): Test[] {
  return suite.children.flatMap((child) => (child.kind === 'test' ? [child] : testsOf(child)));
}

/** Runs the chosen tests in their order with their hooks, up to the first that fails. */
export async function runSuite(
  suite: Suite,
  chosen: ReadonlySet<Test>,
  watch: Watch,
  around: readonly Suite[] = [],
): Promise<Failure | undefined> {
  if (!testsOf(suite).some((test) => chosen.has(test))) return undefined;
  const suites = [...around, suite];
  watch.begins(undefined, suites);
  let failure = await attempt(`${suite.name}: beforeAll`, suite.beforeAll);
  watch.ends(undefined, suites);
  for (const child of suite.children) {
    if (failure) break;
    if (child.kind === 'suite') failure = await runSuite(child, chosen, watch, suites);
    else if (chosen.has(child)) failure = await runTest(child, suites, watch);
  }
  const after = await attempt(`${suite.name}: afterAll`, suite.afterAll);
  return failure ?? after;
}

async function runTest(
  test: Test,
  suites: readonly Suite[],
  watch: Watch,
): Promise<Failure | undefined> {
  watch.begins(test, suites);
  const before = suites.flatMap((suite) => suite.beforeEach);
  const after = suites.toReversed().flatMap((suite) => suite.afterEach);
  const failure = await attempt(test.name, [...before, test.run]);
  const late = await attempt(test.name, after);
  watch.ends(test, suites);
  return failure ?? late;
}

async function attempt(
  test: string,
  steps: readonly (() => unknown)[],
): Promise<Failure | undefined> {
  try {
    for (const step of steps) await step();
    return undefined;
  } catch (cause) {
    return { test, cause };
  }
}
