// The rules for schemas/: one file per type and version, names, annotations, nothing edited once released, and every
// version reads what every older one wrote.
//   node infra/lint/check-schemas.js [DIR...]    check schemas/ or each DIR; exit 1 with every finding
//   node infra/lint/check-schemas.js --release   also list what is not yet listed in schemas/released.json
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformSync } from '@swc/core';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The rules are TypeScript of services/common; this check runs beside the build, so it compiles them itself. */
function moduleUrl(file) {
  const { code } = transformSync(readFileSync(file, 'utf8'), {
    configFile: false,
    swcrc: false,
    jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
    module: { type: 'es6' },
  });
  const linked = code.replaceAll(
    /from (["'])(\.{1,2}\/[^"']+)\.js\1/g,
    (_all, _quote, path) => `from ${JSON.stringify(moduleUrl(join(dirname(file), `${path}.ts`)))}`,
  );
  return `data:text/javascript;base64,${Buffer.from(linked).toString('base64')}`;
}

const domain = join(root, 'services/common/src/domain');
const { checkAnnotations, checkTypeNames, isCategorySchema } = await import(
  moduleUrl(join(domain, 'category-schema.ts'))
);
const { EVOLUTION_RULES, evolutionProblems } = await import(
  moduleUrl(join(domain, 'schema-evolution.ts'))
);

/** @returns {{ findings: string[], unreleased: Record<string, string> }} */
function checkSchemas(dir) {
  const findings = [];
  const unreleased = {};
  /** Subject, `person-alert`, to its versions' schemas. */
  const subjects = new Map();
  const names = readdirSync(dir);
  const released = names.includes('released.json') ? readJson(dir, 'released.json', findings) : {};
  if (released === undefined) return { findings, unreleased };

  for (const name of names.filter((one) => one !== 'released.json').sort()) {
    const report = (problem) => findings.push(`schemas/${name}: ${problem}`);
    const parts = /^([a-z][a-z0-9]*(?:-[a-z0-9]+)*)\.v([1-9][0-9]*)\.avsc$/.exec(name);
    if (!parts) {
      report('expected a name like block-statement.v1.avsc, one file per type and version');
      continue;
    }
    const hash = createHash('sha256')
      .update(readFileSync(join(dir, name)))
      .digest('hex');
    if (!Object.hasOwn(released, name)) unreleased[name] = hash;
    else if (released[name] !== hash) {
      report(
        `was edited after its release; restore it and add ${parts[1]}.v${Number(parts[2]) + 1}.avsc`,
      );
    }
    const schema = readJson(dir, name, findings);
    if (schema === undefined) continue;
    const wanted = parts[1].replaceAll(/(?:^|-)([a-z0-9])/g, (_all, letter) =>
      letter.toUpperCase(),
    );
    if (schema.name !== wanted) report(`holds ${schema.name}, expected a type named ${wanted}`);
    const problems = isCategorySchema(schema) ? checkAnnotations(schema) : checkTypeNames(schema);
    for (const { path, problem } of problems) report(`${path}: ${problem}`);
    const [, subject, version] = parts;
    subjects.set(subject, [...(subjects.get(subject) ?? []), { version: Number(version), schema }]);
  }
  for (const [subject, versions] of subjects) {
    findings.push(...checkEvolution(subject, versions));
  }
  for (const name of Object.keys(released)) {
    if (!names.includes(name))
      findings.push(`schemas/${name}: was released and is gone; restore it`);
  }
  return { findings, unreleased };
}

/** BACKWARD_TRANSITIVE: each version against every older one, not only the one before. */
function checkEvolution(subject, versions) {
  const inOrder = versions.sort((a, b) => a.version - b.version);
  const missing = inOrder.findIndex(({ version }, at) => version !== at + 1) + 1;
  if (missing > 0) {
    return [`schemas/${subject}.v${missing}.avsc: is missing; versions are numbered from 1`];
  }
  return inOrder.flatMap((newer, at) =>
    inOrder.slice(0, at).flatMap((older) => compare(subject, older, newer)),
  );
}

function compare(subject, older, newer) {
  const place = `schemas/${subject}.v${newer.version}.avsc`;
  try {
    return evolutionProblems(older.schema, newer.schema).map(
      ({ path, rule, writer, reader }) =>
        `${place}: ${path}: v${older.version} wrote ${writer}, v${newer.version} reads ${reader}: ` +
        `${rule}: ${EVOLUTION_RULES[rule]}`,
    );
  } catch (cause) {
    return [`${place}: ${cause.message}`];
  }
}

function readJson(dir, name, findings) {
  try {
    const json = JSON.parse(readFileSync(join(dir, name), 'utf8'));
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json;
    findings.push(`schemas/${name}: expected a JSON object`);
  } catch (cause) {
    findings.push(`schemas/${name}: not JSON: ${cause.message}`);
  }
  return undefined;
}

function release(dir, unreleased) {
  const file = join(dir, 'released.json');
  const all = { ...JSON.parse(readFileSync(file, 'utf8')), ...unreleased };
  const sorted = Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(file, `${JSON.stringify(sorted, null, 2)}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const options = process.argv.slice(2);
  const named = options.filter((option) => !option.startsWith('--'));
  const dirs = named.length === 0 ? [join(root, 'schemas')] : named;
  for (const dir of dirs) {
    const { findings, unreleased } = checkSchemas(dir);
    const place = dirs.length > 1 ? `${dir}: ` : '';
    for (const finding of findings) console.error(`${place}${finding}`);
    const names = Object.keys(unreleased);
    if (findings.length > 0) process.exitCode = 1;
    else if (options.includes('--release')) release(dir, unreleased);
    else if (names.length > 0) console.log(`${place}not released yet: ${names.join(', ')}`);
  }
}
