import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { instrument } from './instrument.js';
import type { Instrumented, Mutant, Outcome } from './mutant.js';
import { planRuns } from './plan.js';
import { type Job, type Reply, askAll } from './pool.js';
import { testsThatReach } from './test-files.js';
import type { Recording, Run } from './worker/protocol.js';

/** A test file that takes longer without a mutant is not asked. */
const MS_PER_TEST_FILE = 180_000;
/** Every so many mutants the same tests run once without any: they must pass. */
const CONTROL_EVERY = 100;

/** A worker ends itself when a mutant takes too long; if that fails too, it is ended after this. */
const LAST_RESORT_MS = 600_000;

interface Trial extends Job {
  readonly mutant: Mutant | undefined;
}

export interface Findings {
  readonly outcomes: ReadonlyMap<Mutant, Outcome>;
  /** Test files that took too long, and count for nothing. */
  readonly slow: readonly string[];
  /** Tests that failed without a mutant, after others: then no score means anything. */
  readonly broken: readonly string[];
}

/** @throws Error when a test fails without any mutant: then no score means anything */
export async function runMutants(
  root: string,
  files: readonly string[],
  { jobs, every }: { readonly jobs: number; readonly every: number },
  say: (line: string) => void,
): Promise<Findings> {
  const instrumented = instrumentAll(root, files);
  const mutants = instrumented.flatMap((each) => each.mutants).filter(({ id }) => id % every === 0);
  const folder = join(root, 'out/mutation');
  mkdirSync(folder, { recursive: true });
  const instrumentedFile = join(folder, 'instrumented.json');
  writeFileSync(instrumentedFile, JSON.stringify(instrumented));

  const tests = testsThatReach(root, new Set(files));
  say(
    `${String(mutants.length)} mutants in ${String(files.length)} files, ${String(tests.length)} test files`,
  );
  const { recordings, slow } = await recordAll(tests, jobs, instrumentedFile);
  const plan = planRuns(mutants, recordings);
  const outcomes = new Map<Mutant, Outcome>();
  const trials: Trial[] = [];
  for (const mutant of mutants) {
    const { runs, ms } = plan.get(mutant.id) ?? { runs: [], ms: 0 };
    if (runs.length === 0) outcomes.set(mutant, 'none');
    else trials.push(trialOf(mutant, runs, ms));
    if (runs.length > 0 && trials.length % CONTROL_EVERY === 0)
      trials.push(trialOf(undefined, runs, ms));
  }
  say(`the tests pass; trying ${String(trials.length)} mutants that they reach`);
  const again: Trial[] = [];
  let heard = 0;
  const broken: string[] = [];
  const hear = (trial: Trial, reply: Reply) => {
    heard += 1;
    if (heard % 500 === 0) say(`${String(heard)} of ${String(trials.length)}`);
    const isStray = reply.kind === 'failed' && reply.how === 'stray' && trial.isFresh !== true;
    if (isStray) again.push({ ...trial, isFresh: true });
    else if (trial.mutant) outcomes.set(trial.mutant, outcomeOf(reply));
    else if (reply.kind !== 'passed') broken.push(whyOf(reply));
  };
  await askAll(trials, jobs, instrumentedFile, hear);
  await askAll(again, 1, instrumentedFile, hear);
  const inOrder = new Map(mutants.map((each) => [each, outcomes.get(each) ?? 'none']));
  return { outcomes: inOrder, slow, broken };
}

function instrumentAll(root: string, files: readonly string[]): Instrumented[] {
  const all: Instrumented[] = [];
  let next = 1;
  for (const file of files) {
    const one = instrument(file, readFileSync(join(root, file), 'utf8'), next);
    next += one.mutants.length;
    all.push(one);
  }
  return all;
}

async function recordAll(tests: readonly string[], jobs: number, instrumentedFile: string) {
  const recordings: Recording[] = [];
  const slow: string[] = [];
  const failed: string[] = [];
  const ask = async (files: readonly string[], hearFailed: (file: string, why: string) => void) => {
    const questions = files.map((file) => ({
      question: { kind: 'record', file } as const,
      limitMs: MS_PER_TEST_FILE,
    }));
    await askAll(questions, jobs, instrumentedFile, ({ question: { file } }, reply) => {
      if (reply.kind === 'recorded' && reply.failed === undefined) recordings.push(reply);
      else if (reply.kind === 'silent') slow.push(file);
      else hearFailed(file, whyOf(reply));
    });
  };
  await ask(tests, (file) => void failed.push(file));
  await ask(failed, (file, why) => {
    throw new Error(`${file} fails without a mutant: ${why}`);
  });
  return { recordings, slow };
}

/** @param ms what the tests take without a mutant */
function trialOf(mutant: Mutant | undefined, runs: readonly Run[], ms: number): Trial {
  const limitMs = ms * 10 + 5_000;
  const question = { kind: 'try', mutant: mutant?.id ?? 0, runs, limitMs } as const;
  return { mutant, question, limitMs: limitMs + LAST_RESORT_MS };
}

function outcomeOf(reply: Reply): Outcome {
  if (reply.kind === 'silent') return 'timeout';
  if (reply.kind === 'failed') return reply.how === 'endless' ? 'timeout' : 'killed';
  return 'survived';
}

function whyOf(reply: Reply): string {
  if (reply.kind === 'failed') return `${reply.test}: ${reply.why}`;
  return reply.kind === 'recorded' ? (reply.failed ?? '') : reply.kind;
}
