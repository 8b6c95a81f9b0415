import { basename, dirname } from 'node:path';
import type { Mutant } from './mutant.js';
import type { Recording, Run } from './worker/protocol.js';

/** What the tests of one mutant may cost together when nothing fails; the nearest and quickest go first. */
const MS_PER_MUTANT = 3_000;
/** Tests above this go after all others that are as near. */
const QUICK_MS = 20;
/** A file's second loading takes about this part of its first, which also compiles. */
const LOADING_AGAIN = 0.3;

interface Candidate {
  readonly run: Run;
  readonly ms: number;
  readonly near: number;
}

/** For each mutant the tests to run, in this order; none when no test reaches it. */
export function planRuns(
  mutants: readonly Mutant[],
  recordings: readonly Recording[],
): ReadonlyMap<number, { readonly runs: readonly Run[]; readonly ms: number }> {
  const candidates = new Map<number, Candidate[]>(mutants.map(({ id }) => [id, []]));
  const fileOf = new Map(mutants.map(({ id, file }) => [id, file]));
  for (const recording of recordings) {
    const atLoad = new Set(recording.load);
    for (const [id, tests] of testsByMutant(recording)) {
      const { file, asked } = recording;
      const isAtLoad = atLoad.has(id);
      const msOf = (at: number) => recording.tests[at]?.ms ?? 0;
      const near = nearness(file, fileOf.get(id) ?? '');
      const quick = tests.filter((at) => msOf(at) <= QUICK_MS);
      const slow = tests.filter((at) => msOf(at) > QUICK_MS);
      for (const some of [quick, ...slow.map((at) => [at])].filter(({ length }) => length > 0)) {
        candidates.get(id)?.push({
          run: { file, tests: some, of: recording.tests.length, asked, isAtLoad },
          ms: some.reduce((sum, at) => sum + msOf(at), recording.loadMs * LOADING_AGAIN),
          near,
        });
      }
    }
  }
  return new Map([...candidates].map(([id, all]) => [id, withinBudget(all)]));
}

function testsByMutant(recording: Recording): Map<number, number[]> {
  const all = recording.tests.map((_, at) => at);
  const byMutant = new Map(recording.load.map((id) => [id, all]));
  recording.tests.forEach(({ mutants }, at) => {
    for (const id of mutants) {
      const tests = byMutant.get(id) ?? [];
      if (tests !== all) byMutant.set(id, [...tests, at]);
    }
  });
  return byMutant;
}

function withinBudget(candidates: readonly Candidate[]) {
  const runs: Run[] = [];
  let ms = 0;
  const order = candidates.toSorted((a, b) => b.near - a.near || a.ms - b.ms);
  for (const candidate of order) {
    if (runs.length > 0 && ms + candidate.ms > MS_PER_MUTANT) break;
    runs.push(candidate.run);
    ms += candidate.ms;
  }
  return { runs, ms };
}

/** 2: the file's own test, `x.test.ts` beside `x.ts`; 1: another test in its folder; 0: any other. */
function nearness(test: string, file: string): number {
  if (dirname(test) !== dirname(file)) return 0;
  return basename(test, '.test.ts') === basename(file, '.ts') ? 2 : 1;
}
