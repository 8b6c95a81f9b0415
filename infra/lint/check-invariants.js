// Does every invariant name tests that are there? docs/invariants.md lists them under a heading for each of S1 to S14 and
// L1 to L6; a listed test must stand in its file under that very name, and neither it nor a suite around it be skipped.
//   node infra/lint/check-invariants.js [PAGE]    exit 1 with every finding
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../../', import.meta.url));
const INVARIANTS = [
  ...Array.from({ length: 14 }, (_, at) => `S${at + 1}`),
  ...Array.from({ length: 6 }, (_, at) => `L${at + 1}`),
];
/** What keeps a test from running: `test.skip`, `xtest`, `describe.skip` around it, and `test.todo`, which is none. */
const IDLE = /^(?:x(?:test|it|describe)\b|\w+\.(?:each\.)?(?:skip|todo))/;

/** @returns {{ invariant: string, file: string, name: string }[]} as the page lists them */
function listed(page, text) {
  const rows = [];
  let invariant = '';
  for (const line of text.split('\n')) {
    invariant = /^### ([SL]\d+) /.exec(line)?.[1] ?? invariant;
    const row = /^- \[[^\]]+\]\(([^)]+)\): `(.+)`$/.exec(line);
    if (row) rows.push({ invariant, file: join(dirname(page), row[1]), name: row[2] });
  }
  return rows;
}

/** The names of the tests in a file that run, as their source spells them. */
function liveTests(file) {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest);
  const names = new Set();
  const visit = (node, isIdle) => {
    let idle = isIdle;
    if (ts.isCallExpression(node)) {
      const called = node.expression.getText(source);
      idle ||= IDLE.test(called);
      const [first] = node.arguments;
      const isTest = /^(?:test|it)\b/.test(called) && first && ts.isStringLiteralLike(first);
      const isTemplate = /^(?:test|it)\b/.test(called) && first && ts.isTemplateExpression(first);
      if (isTest && !idle) names.add(first.text);
      if (isTemplate && !idle) names.add(first.getText(source).slice(1, -1));
    }
    ts.forEachChild(node, (child) => visit(child, idle));
  };
  visit(source, false);
  return names;
}

/** @returns {string[]} every finding */
function checkInvariants(page) {
  const rows = listed(page, readFileSync(page, 'utf8'));
  const known = new Map();
  const testsOf = (file) => {
    if (!known.has(file)) known.set(file, liveTests(file));
    return known.get(file);
  };
  const findings = [];
  const held = new Set();
  for (const { invariant, file, name } of rows) {
    const where = `${invariant}: ${relative(root, file)}`;
    if (!existsSync(file)) findings.push(`${where}: no such file`);
    else if (!testsOf(file).has(name))
      findings.push(`${where}: no test that runs is named ${name}`);
    else held.add(invariant);
  }
  for (const invariant of INVARIANTS) {
    if (!held.has(invariant)) findings.push(`${invariant}: no test holds it`);
  }
  return findings;
}

const findings = checkInvariants(process.argv[2] ?? join(root, 'docs/invariants.md'));
for (const finding of findings) console.error(`docs/invariants.md: ${finding}`);
if (findings.length > 0) process.exitCode = 1;
