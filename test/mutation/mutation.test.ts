import { describe, expect, test } from '@jest/globals';
import ts from 'typescript';
import { instrument } from './instrument.js';
import { judge } from './justified.js';
import type { Mutant, Outcome } from './mutant.js';
import { planRuns } from './plan.js';
import { figuresOf } from './report.js';
import type { Recording } from './worker/protocol.js';

function changesOf(code: string): string[] {
  return instrument('a.ts', code, 1).mutants.map(({ from, to }) => `${from} → ${to}`);
}

/** What the code's `result` is, once with each mutant chosen; 0 is the code as written. */
function resultsOf(code: string): unknown[] {
  const instrumented = instrument('a.ts', code, 1);
  const plain = ts.transpile(instrumented.code, { target: ts.ScriptTarget.ES2022 });
  return [0, ...instrumented.mutants.map(({ id }) => id)].map((chosen) => {
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- runs what the tool made
    const run = new Function('__mutant', `${plain}; return result;`) as (
      isChosen: (id: number) => boolean,
    ) => unknown;
    return run((id) => id === chosen);
  });
}

// prettier-ignore
test.each([
  ['a < b', ['a < b → a <= b', 'a < b → a >= b', 'a < b → true', 'a < b → false']],
  ['a && b', ['a && b → a || b', 'a → true', 'b → true']],
  ['a ?? b', ['a ?? b → (a) && (b)']],
  ['a + 1', ['a + 1 → a - 1']],
  ["a + 'x'", ["'x' → ''"]],
  ['!a', ['!a → a']],
  ['[a, true]', ['[a, true] → []', 'true → false']],
  ['a?.b.c', ['a?.b.c → a.b.c']],
  ['a.filter(b)', ['a.filter(b) → a']],
  ['a.some(b)', ['a.some(b) → a.every(b)']],
  ['a ? b : c', ['a → true', 'a → false']],
  ['() => a', ['a → undefined']],
  ['/^a+$/u', ['/^a+$/u → /a+$/u', '/^a+$/u → /^a$/u', '/^a+$/u → /^a+/u']],
  ['{ b: a }', ['{ b: a } → {}']],
  ["new ConcordatError('CODE', a + 1)", ["'CODE' → ''"]],
  ["new TypeError('no such')", []],
  ["f('words for people', `${a} too`)", []],
  ['f(String.raw`a`)', []],
  ["a as 'text'", []],
])('%s is changed to what a slip could make of it', (code, changes) => {
  expect(changesOf(`const x = ${code};`)).toEqual(changes);
});

describe('what is chosen by its number', () => {
  test.each([
    ['const result = 2 < 2 || 1 + 1 === 3;', false],
    [
      'function f(a) { if (a > 1) return 1; else g(); return 0; } function g() {} const result = f(2);',
      1,
    ],
    ['let n = 0; for (const x of [1, 2]) { if (x === 1) continue; n += x; } const result = n;', 2],
    [
      "function f(a) { switch (a) { case 'b': { return 1; } default: return 2; } } const result = f('b');",
      1,
    ],
    ['let result = 0; if (result === 0) if (result > 5) result = 1; else result = 2;', 2],
  ])('leaves the code as it was when none is chosen, and each changes it: %s', (code, expected) => {
    const [original, ...changed] = resultsOf(code);
    expect(original).toBe(expected);
    expect(changed.some((result) => result !== expected)).toBe(true);
  });
});

const mutant: Mutant = {
  id: 1,
  file: 'a.ts',
  line: 3,
  in: 'f',
  operator: 'condition',
  from: 'a',
  to: 'true',
};
const entry = { file: 'a.ts', in: 'f', from: 'a', to: 'true', reason: 'both ways are the same' };

describe('a mutant that is justified', () => {
  test('is told apart from one that merely survived, and counts as unnoticed in the score', () => {
    const { judged, problems } = judge([entry], new Map<Mutant, Outcome>([[mutant, 'survived']]));
    expect(problems).toEqual([]);
    expect(figuresOf(judged)).toMatchObject({ mutants: 1, survived: 0, justified: 1, score: 0 });
  });

  test.each<[name: string, entries: object, outcomes: [Mutant, Outcome][], problem: RegExp]>([
    ['its code is gone', { from: 'b' }, [[mutant, 'survived']], /no mutant is like this/],
    ['a test notices it', {}, [[mutant, 'killed']], /a test notices it/],
    ['no reason is given', { reason: ' ' }, [[mutant, 'survived']], /no reason/],
    [
      'two are like it',
      {},
      [
        [mutant, 'survived'],
        [{ ...mutant, id: 2, line: 9 }, 'survived'],
      ],
      /say which with nth/,
    ],
  ])('fails the run when %s', (_name, change, outcomes, problem) => {
    const { problems } = judge([{ ...entry, ...change }], new Map(outcomes));
    expect(problems).toEqual([expect.stringMatching(problem)]);
  });

  test('in a file that was not looked at is left alone', () => {
    expect(judge([{ ...entry, file: 'b.ts' }], new Map([[mutant, 'killed']])).problems).toEqual([]);
  });
});

describe('the tests of a mutant', () => {
  const recording: Recording = {
    kind: 'recorded',
    file: 'b.test.ts',
    loadMs: 10,
    asked: 5,
    load: [],
    tests: [
      { name: 'slow', ms: 400, mutants: [1] },
      { name: 'another', ms: 1, mutants: [2] },
      { name: 'quick', ms: 1, mutants: [1] },
    ],
  };
  const runsOf = (...recordings: Recording[]) =>
    planRuns([mutant], recordings)
      .get(1)
      ?.runs.map(({ file, tests }) => [file, tests]);

  test('are those that reach it, the quick ones first', () => {
    expect(runsOf(recording)).toEqual([
      ['b.test.ts', [2]],
      ['b.test.ts', [0]],
    ]);
  });

  test('of its file go before others in the folder, and these before quicker ones elsewhere', () => {
    const near = { ...recording, file: 'a.test.ts' };
    const far = { ...recording, file: 'far/a.test.ts', loadMs: 0 };
    expect(runsOf(far, recording, near)?.map(([file]) => file)).toEqual([
      'a.test.ts',
      'a.test.ts',
      'b.test.ts',
      'b.test.ts',
      'far/a.test.ts',
      'far/a.test.ts',
    ]);
  });

  test('are all of a file when loading it reaches the mutant', () => {
    expect(runsOf({ ...recording, load: [1] })).toEqual([
      ['b.test.ts', [1, 2]],
      ['b.test.ts', [0]],
    ]);
  });

  test('stop where they would cost too much', () => {
    const dear = {
      ...recording,
      file: 'c.test.ts',
      tests: [{ name: 'x', ms: 5_000, mutants: [1] }],
    };
    expect(runsOf(recording, dear)?.map(([file]) => file)).not.toContain('c.test.ts');
  });
});
