import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from '@jest/globals';

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

/** What is found when every invariant is held by this test. */
function findings(row: string, only = (_invariant: string) => true): string {
  const all = [
    ...Array.from({ length: 14 }, (_, at) => `S${at + 1}`),
    ...Array.from({ length: 6 }, (_, at) => `L${at + 1}`),
  ];
  const sections = all.map((one) => `### ${one} a promise\n\n${only(one) ? row : ''}\n`);
  writeFileSync(join(dir, 'page.md'), sections.join('\n'));
  const { stderr, status } = spawnSync(process.execPath, [script, join(dir, 'page.md')]);
  expect(status).toBe(stderr.length === 0 ? 0 : 1);
  return stderr.toString();
}

const row = (name: string, file = 'a.test.ts') => `- [a.test.ts](${file}): \`${name}\``;

describe('an invariant is held', () => {
  test.each(['runs', 'runs for %i', 'inside of it'])('by a test that %s', (name) => {
    expect(findings(row(name))).toBe('');
  });

  test.each([
    'is skipped',
    'is to be written',
    'inside of that',
    'is a comment',
    'is renamed',
    'run',
  ])('by no test that %s', (name) => {
    expect(findings(row(name))).toContain(`S14: `);
  });

  test('by no test of a file that is gone', () => {
    expect(findings(row('runs', 'gone.test.ts'))).toContain('no such file');
  });

  test('each of them', () => {
    expect(findings(row('runs'), (one) => one !== 'L6')).toContain('L6: no test holds it');
  });
});
