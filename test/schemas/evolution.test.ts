import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EVOLUTION_RULES, evolutionProblems } from '@concordat/common/domain/schema-evolution.js';
import { describe, expect, test } from '@jest/globals';

const here = fileURLToPath(new URL('.', import.meta.url));
const script = fileURLToPath(new URL('../../infra/lint/check-schemas.js', import.meta.url));

/** Each folder holds the versions of one schema. */
const foldersOf = (kind: string): string[] =>
  readdirSync(join(here, kind), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(kind, name));

const folders = [...foldersOf('compatible'), ...foldersOf('incompatible')];
const run = spawnSync(process.execPath, [script, ...folders], { cwd: here, encoding: 'utf8' });
const findingsOf = (folder: string): string[] =>
  run.stderr
    .split('\n')
    .filter((line) => line.startsWith(`${folder}: `))
    .map((line) => line.slice(folder.length + 2));

/** Field path, the writer's and the reader's type, and the rule; what the rule demands follows. */
const EXPECTED = JSON.parse(
  readFileSync(join(here, 'incompatible/expected.json'), 'utf8'),
) as Record<string, readonly string[]>;

describe('refused, naming field, types and rule', () => {
  test('every change has its expected findings, every rule a change that breaks it', () => {
    expect(foldersOf('incompatible').map((folder) => basename(folder))).toEqual(Object.keys(EXPECTED));
    expect(run.status).toBe(1);
    const broken = Object.values(EXPECTED)
      .flat()
      .map((finding) => finding.slice(finding.lastIndexOf(': ') + 2));
    expect(broken).toEqual(expect.arrayContaining(Object.keys(EVOLUTION_RULES)));
  });

  test.each(Object.entries(EXPECTED))('%s', (name, expected) => {
    const findings = findingsOf(join('incompatible', name));
    expect(findings).toHaveLength(expected.length);
    findings.forEach((finding, at) => expect(finding).toContain(expected[at]));
  });
});

test('every schema of this repository follows itself', () => {
  const schemas = new URL('../../schemas/', import.meta.url);
  for (const file of readdirSync(schemas).filter((name) => name.endsWith('.avsc'))) {
    const json = JSON.parse(readFileSync(new URL(file, schemas), 'utf8')) as { type: string };
    expect(evolutionProblems({ ...json }, { ...json })).toEqual([]);
  }
});

test.each(foldersOf('compatible'))('%s is accepted', (folder) => {
  expect(findingsOf(folder)).toEqual([]);
  expect(run.stdout).toContain(`${folder}: not released yet: `);
});
