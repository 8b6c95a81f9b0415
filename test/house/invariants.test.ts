import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

const script = fileURLToPath(new URL('../../infra/lint/check-invariants.js', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'concordat-invariants-'));
afterAll(() => rmSync(dir, { recursive: true }));

writeFileSync(
  join(dir, 'a.test.ts'),
  [
    "test('runs', () => {});",
    "test.each([1])('runs for %i', () => {});",
    "describe('a suite', () => { test('inside of it', () => {}); });",
    "test.skip('is skipped', () => {});",
    "test.todo('is to be written');",
    "describe.skip('an idle suite', () => { test('inside of that', () => {}); });",
    "// test('is a comment', () => {});",
  ].join('\n'),
);

const row = (name: string, file = 'a.test.ts') => `- [a.test.ts](${file}): \`${name}\``;

const LIVE = ['runs', 'runs for %i', 'inside of it'];
const IDLE = [
  'is skipped',
  'is to be written',
  'inside of that',
  'is a comment',
  'is renamed',
  'run',
];
const ALL = [
  ...Array.from({ length: 14 }, (_, at) => `S${at + 1}`),
  ...Array.from({ length: 6 }, (_, at) => `L${at + 1}`),
];
/** One page, since each run of the program takes a second: an invariant for each case, the rest held by a test that runs. */
const CASES = [...LIVE.map((name) => row(name)), ...IDLE.map((name) => row(name))];
const GONE = CASES.length;
const UNHELD = GONE + 1;
CASES.push(row('runs', 'gone.test.ts'), '');

/** What is found about each invariant of a page. */
function findings(rows: readonly string[]): string[][] {
  const page = ALL.map((one, at) => `### ${one} a promise\n\n${rows[at] ?? row('runs')}\n`);
  writeFileSync(join(dir, 'page.md'), page.join('\n'));
  const { stderr, status } = spawnSync(process.execPath, [script, join(dir, 'page.md')]);
  expect(status).toBe(stderr.length === 0 ? 0 : 1);
  const lines = stderr.toString().split('\n');
  return ALL.map((one) => lines.filter((line) => line.includes(` ${one}: `)));
}

describe('an invariant is held', () => {
  let found: string[][] = [];
  beforeAll(() => {
    found = findings(CASES);
  });

  test.each(LIVE)('by a test that %s', (name) => {
    expect(found[LIVE.indexOf(name)]).toEqual([]);
  });

  test.each(IDLE)('by no test that %s', (name) => {
    const refused = [expect.stringContaining(name), expect.stringContaining('no test holds it')];
    expect(found[LIVE.length + IDLE.indexOf(name)]).toEqual(refused);
  });

  test('by no test of a file that is gone', () => {
    expect(found[GONE]?.[0]).toContain('no such file');
  });

  test('each of them, and then nothing is found', () => {
    expect(found[UNHELD]).toEqual([expect.stringContaining('no test holds it')]);
    expect(found.slice(UNHELD + 1).flat()).toEqual([]);
    expect(findings([]).flat()).toEqual([]);
  });
});
