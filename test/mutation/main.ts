/** `make mutate`: how much of what could go wrong in `domain/` the unit tests notice. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { filesBelow } from './files-below.js';
import { judge, readJustified } from './justified.js';
import { figuresOf, groups, scoreLines, survivorLines, workspaceOf } from './report.js';
import { runMutants } from './run.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    since: { type: 'string', default: '' },
    every: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(availableParallelism()) },
  },
});

const files = sources(values.only, values.since);
if (files.length === 0)
  throw new Error('no file of services/*/src/domain is meant by ONLY and SINCE');
const began = Date.now();
const { outcomes, slow, broken } = await runMutants(
  root,
  files,
  { jobs: Number(values.jobs), every: Number(values.every) },
  (line) => console.log(`==> mutate: ${line}`),
);
const { judged, problems } = judge(
  readJustified(join(root, 'test/mutation/justified.json')),
  outcomes,
);
// A sample leaves out mutants that are justified.
const stale = values.every === '1' ? problems : [];

for (const line of survivorLines(judged)) console.log(line);
for (const line of scoreLines(judged, ({ file }) => file)) console.log(line);
for (const line of scoreLines(judged, workspaceOf)) console.log(line);
for (const line of scoreLines(judged, () => 'all')) console.log(line);
for (const file of slow) console.log(`took too long, and counts for nothing: ${file}`);
for (const test of broken) console.error(`fails without a mutant, so there is no score: ${test}`);
for (const problem of stale) console.error(`justified.json: ${problem}`);

const byGroup = (groupOf: Parameters<typeof groups>[1]) =>
  Object.fromEntries(groups(judged, groupOf).map(([name, own]) => [name, figuresOf(own)]));
const report = {
  ...figuresOf(judged),
  seconds: Math.round((Date.now() - began) / 1_000),
  workspaces: byGroup(workspaceOf),
  files: byGroup(({ file }) => file),
  unnoticed: judged
    .filter(({ outcome }) => outcome === 'survived' || outcome === 'none')
    .map(({ mutant: { id: _, ...mutant }, outcome, reason }) => ({ ...mutant, outcome, reason })),
};
writeFileSync(join(root, 'out/mutation.json'), `${JSON.stringify(report, null, 2)}\n`);
if (stale.length + broken.length > 0) process.exitCode = 1;

/** The files of `domain/` below a path, and changed since a commit, if these are given. */
function sources(only: string, since: string): string[] {
  const changed =
    since === ''
      ? undefined
      : new Set(
          execFileSync('git', ['diff', '--name-only', since], {
            cwd: root,
            encoding: 'utf8',
          }).split('\n'),
        );
  return filesBelow(join(root, 'services'), /\/src\/domain\/.*\.ts$/)
    .map((path) => relative(root, path))
    .filter((file) => !file.endsWith('.test.ts'))
    .filter((file) => file.startsWith(only) && (changed?.has(file) ?? true));
}
