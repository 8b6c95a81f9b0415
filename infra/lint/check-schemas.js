// The rules for schemas/: one file per type and version, names, annotations, and nothing edited once released.
//   node infra/lint/check-schemas.js [DIR]       check schemas/ or DIR; exit 1 with every finding
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
    /from (["'])(\.\/[^"']+)\.js\1/g,
    (_all, _quote, path) => `from ${JSON.stringify(moduleUrl(join(dirname(file), `${path}.ts`)))}`,
  );
  return `data:text/javascript;base64,${Buffer.from(linked).toString('base64')}`;
}

const { checkAnnotations, checkTypeNames, isCategorySchema } = await import(
  moduleUrl(join(root, 'services/common/src/domain/category-schema.ts'))
);

/** @returns {{ findings: string[], unreleased: Record<string, string> }} */
function checkSchemas(dir) {
  const findings = [];
  const unreleased = {};
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
  }
  for (const name of Object.keys(released)) {
    if (!names.includes(name))
      findings.push(`schemas/${name}: was released and is gone; restore it`);
  }
  return { findings, unreleased };
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
  const dir = options.find((option) => !option.startsWith('--')) ?? join(root, 'schemas');
  const { findings, unreleased } = checkSchemas(dir);
  for (const finding of findings) console.error(finding);
  const names = Object.keys(unreleased);
  if (findings.length > 0) process.exitCode = 1;
  else if (options.includes('--release')) release(dir, unreleased);
  else if (names.length > 0) console.log(`not released yet: ${names.join(', ')}`);
}
