/** A worker process: loads the unit tests' modules itself, records what they reach, and tries mutants. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import process from 'node:process';
import type { Instrumented } from '../mutant.js';
import { Chosen } from './chosen.js';
import { effort, limitEffort } from './effort.js';
import { Modules } from './modules.js';
import type { Answer, Question, Recording, Run } from './protocol.js';
import { type Watch, runSuite, testsOf } from './run-suite.js';
import { Collector, type Suite, type Test } from './suites.js';

type Try = Extract<Question, { kind: 'try' }>;

const root = process.cwd();
const [, , instrumentedFile = ''] = process.argv;
const instrumented = JSON.parse(readFileSync(instrumentedFile, 'utf8')) as readonly Instrumented[];

// As the tests load them: the same instance of each package.
const require = createRequire(join(root, 'test/package.json'));
const { expect } = require('expect') as { expect: unknown };
const fastCheck = require('fast-check') as {
  configureGlobal(settings: { seed: number; endOnFailure: boolean }): void;
};
// One seed, so that a score can be compared with the last; no search for a smaller example of a failure.
fastCheck.configureGlobal({ seed: 1, endOnFailure: true });

const collector = new Collector();
const chosen = new Chosen(instrumented.reduce((sum, { mutants }) => sum + mutants.length, 0));
const modules = new Modules(
  root,
  new Map(instrumented.map(({ file, code }) => [file, code])),
  new Map([['@jest/globals', collector.globals(expect)]]),
);
Object.assign(globalThis, { __mutant: chosen.isChosen });

/** Test files that are loaded without a mutant. */
const known = new Map<string, Suite>();

/** Hears of what is thrown outside of a test. */
let stray: (cause: unknown) => void = () => undefined;
process.on('uncaughtException', (cause) => stray(cause));
process.on('unhandledRejection', (cause) => stray(cause));

process.on('message', (question: Question) => {
  void answerTo(question).then((answer) => process.send?.(answer));
});

async function answerTo(question: Question): Promise<Answer> {
  if (question.kind === 'try') return tryMutant(question);
  return modules.anew(() => record(question.file));
}

function load(file: string): Suite {
  collector.begin();
  modules.run(join(root, file));
  return collector.file;
}

async function record(file: string): Promise<Recording> {
  chosen.choose(0, Infinity);
  const began = effort();
  let suite: Suite;
  try {
    suite = load(file);
  } catch (cause) {
    const failed = `does not load: ${String(cause)}`;
    return { kind: 'recorded', file, loadMs: 0, asked: 0, load: [], tests: [], failed };
  }
  const loadMs = effort() - began;
  const atLoad = chosen.takeSeen();
  const reached = new Map<Suite | Test, readonly number[]>();
  const took = new Map<Test, number>();
  let started = 0;
  const watch: Watch = {
    begins() {
      started = effort();
      chosen.takeSeen();
    },
    ends(test, suites) {
      const own = test ?? suites.at(-1);
      if (own) reached.set(own, chosen.takeSeen());
      if (test) took.set(test, effort() - started);
    },
  };
  const tests = testsOf(suite);
  const failure = await runSuite(suite, new Set(tests), watch);
  const around = suitesAround(suite, []);
  return {
    kind: 'recorded',
    file,
    loadMs,
    asked: chosen.asked,
    load: atLoad,
    tests: tests.map((test) => ({
      name: test.name,
      ms: took.get(test) ?? 0,
      mutants: [
        ...new Set([test, ...(around.get(test) ?? [])].flatMap((each) => reached.get(each) ?? [])),
      ],
    })),
    ...(failure && { failed: `${failure.test}: ${String(failure.cause)}` }),
  };
}

function suitesAround(suite: Suite, outer: readonly Suite[]): Map<Test, readonly Suite[]> {
  const suites = [...outer, suite];
  return new Map(
    suite.children.flatMap((child): [Test, readonly Suite[]][] =>
      child.kind === 'test' ? [[child, suites]] : [...suitesAround(child, suites)],
    ),
  );
}

async function tryMutant(question: Try): Promise<Answer> {
  const thrown = new Promise<Answer>((answer) => {
    stray = (cause) => answer({ kind: 'failed', test: '', why: String(cause), how: 'stray' });
  });
  const limit = limitEffort(question.limitMs);
  const answer = await Promise.race([tried(question), limit.reached, thrown]);
  limit.end();
  return answer;
}

/**
 * First with the modules that are loaded, as that is quick. A test that fails there must pass right after
 * without the mutant: else something earlier broke it, and only modules loaded anew can tell. They also must
 * tell where loading already reaches the mutant.
 */
async function tried({ mutant, runs }: Try): Promise<Answer> {
  let rest: readonly Run[] = runs.filter(({ isAtLoad }) => isAtLoad);
  for (const run of runs.filter(({ isAtLoad }) => !isAtLoad)) {
    chosen.choose(0, Infinity);
    const suite = known.get(run.file) ?? load(run.file);
    known.set(run.file, suite);
    const answer = await runIn(suite, mutant, run);
    if (answer.kind === 'passed') continue;
    if (chosen.isEndless) return answer;
    const without = await runIn(suite, 0, run);
    if (without.kind === 'passed') return answer;
    known.clear();
    modules.forget();
    rest = runs;
    break;
  }
  return modules.anew(async () => {
    for (const run of rest) {
      chosen.choose(mutant, mostAsked(run));
      let suite: Suite;
      try {
        suite = load(run.file);
      } catch (cause) {
        return failed(run, 'loading', cause);
      }
      const answer = await runIn(suite, mutant, run);
      if (answer.kind !== 'passed') return answer;
    }
    return { kind: 'passed' };
  });
}

async function runIn(suite: Suite, mutant: number, run: Run): Promise<Answer> {
  chosen.choose(mutant, mostAsked(run));
  const tests = testsOf(suite);
  // A mutant may change the very rows of a table of tests: then their places say nothing.
  const isAsBefore = tests.length === run.of;
  const picked = new Set(isAsBefore ? tests.filter((_, at) => run.tests.includes(at)) : tests);
  const failure = await runSuite(suite, picked, { begins: () => undefined, ends: () => undefined });
  return failure ? failed(run, failure.test, failure.cause) : { kind: 'passed' };
}

function failed(run: Run, test: string, cause: unknown): Answer {
  return {
    kind: 'failed',
    test: `${run.file}: ${test}`,
    why: String(cause).split('\n')[0] ?? '',
    how: chosen.isEndless ? 'endless' : 'test',
  };
}

/** Past this it is a loop without end. */
function mostAsked({ asked }: Run): number {
  return asked * 20 + 200_000;
}
