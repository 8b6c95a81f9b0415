import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';

const root = fileURLToPath(new URL('../../', import.meta.url));

describe('ESLint', () => {
  // The files do not exist, so the rules that need types stay out.
  const untyped = { languageOptions: { parserOptions: { project: false, projectService: false } } };
  const eslint = new ESLint({
    cwd: root,
    overrideConfig: [tseslint.configs.disableTypeChecked, untyped],
  });

  async function rulesBrokenBy(code: string, path: string): Promise<(string | null)[]> {
    const [result] = await eslint.lintText(code, { filePath: join(root, path) });
    return (result?.messages ?? []).map(({ ruleId }) => ruleId);
  }

  const DOMAIN = 'services/common/src/domain/sample.ts';
  const IO = 'services/common/src/io/sample.ts';

  test.each([
    ['the wall clock', 'export const a = () => Date.now();', 'no-restricted-properties'],
    ['a date of now', 'export const a = () => new Date();', 'no-restricted-syntax'],
    ['the text of now', 'export const a = () => Date();', 'no-restricted-syntax'],
    ['the monotonic clock', 'export const a = () => performance.now();', 'no-restricted-globals'],
    ['a timer', 'export const a = () => setTimeout(() => 1, 1);', 'no-restricted-globals'],
    ['chance', 'export const a = () => Math.random();', 'no-restricted-properties'],
    ['random bytes', "export { randomBytes } from 'node:crypto';", 'no-restricted-imports'],
    ['the environment', 'export const a = () => process.env;', 'no-restricted-properties'],
    [
      'a hidden clock',
      'export const a = () => globalThis.performance;',
      'no-restricted-properties',
    ],
  ])('refuses %s in domain/', async (_name, code, rule) => {
    expect(await rulesBrokenBy(code, DOMAIN)).toContain(rule);
  });

  test.each([
    ['the clock in io/', 'export const a = () => Date.now();', IO],
    ['a date of a known time in domain/', 'export const a = new Date(0);', DOMAIN],
    ['a hash in domain/', "export { createHash } from 'node:crypto';", DOMAIN],
    ['the environment in main.ts', 'export const a = process.env;', 'services/node/src/main.ts'],
    [
      'the environment in config.ts',
      'export const a = process.env;',
      'services/node/src/config.ts',
    ],
  ])('permits %s', async (_name, code, path) => {
    expect(await rulesBrokenBy(code, path)).toEqual([]);
  });

  test.each([
    ['the environment', 'export const a = process.env;', 'no-restricted-properties'],
    ['the imported environment', "export { env } from 'node:process';", 'no-restricted-imports'],
    ['a bare builtin', "export { readFileSync } from 'fs';", 'no-restricted-imports'],
    ['a default export', 'export default 1;', 'no-restricted-syntax'],
    ['a console', "console.log('name');", 'no-console'],
    ['any', 'export const a = (b: any) => b;', '@typescript-eslint/no-explicit-any'],
    ['an empty catch', 'try { a(); } catch {}', 'no-empty'],
  ])('refuses %s in io/', async (_name, code, rule) => {
    expect(await rulesBrokenBy(code, IO)).toContain(rule);
  });
});

describe('dependency-cruiser', () => {
  let violations: string[] = [];
  let tree = '';

  /** A small tree with one wrong import for each rule, and right ones beside them. */
  const FILES: Record<string, string> = {
    'tsconfig.check.json': '{ "compilerOptions": { "module": "nodenext" } }',
    'test/support/fake.ts': 'export const fake = 1;',
    'services/common/src/domain/pure.ts': "import 'node:crypto'; export const a = 1;",
    'services/common/src/domain/reads-disk.ts': "import 'node:fs';",
    'services/common/src/domain/sees-io.ts': "import '../io/good.js';",
    'services/common/src/domain/sees-type-of-io.ts': "export type { A } from '../io/good.js';",
    'services/common/src/domain/uses-package.ts': "import 'zod';",
    'services/common/src/domain/one.ts': "import './two.js';",
    'services/common/src/domain/two.ts': "import './one.js';",
    'services/common/src/io/good.ts': "import '../domain/pure.js'; export type A = 1;",
    'services/common/src/io/sees-service.ts': "import '../../../node/src/service.js';",
    'services/common/src/io/sees-test.ts': "import '../../../../test/support/fake.js';",
    'services/common/src/io/sees-nothing.ts': "import './absent.js';",
    'services/node/src/service.ts': "import '../../common/src/io/good.js';",
    'services/node/src/sees-consent.ts': "import '../../consent/src/service.js';",
    'services/node/src/io/sees-wiring.ts': "import '../service.js';",
    'services/consent/src/service.ts': 'export const a = 1;',
  };

  beforeAll(() => {
    tree = mkdtempSync(join(tmpdir(), 'concordat-edges-'));
    for (const [path, text] of Object.entries(FILES)) {
      mkdirSync(dirname(join(tree, path)), { recursive: true });
      writeFileSync(join(tree, path), text);
    }
    copyFileSync(join(root, 'infra/lint/dependency-cruiser.cjs'), join(tree, 'rules.cjs'));
    const command = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
    const args = [command, '--config', 'rules.cjs', '--output-type', 'json', 'services', 'test'];
    const report = JSON.parse(execFileSync(process.execPath, args, { cwd: tree }).toString()) as {
      summary: { violations: { rule: { name: string }; from: string }[] };
    };
    violations = report.summary.violations.map(({ rule, from }) => `${rule.name} ${from}`);
  });

  afterAll(() => {
    rmSync(tree, { recursive: true });
  });

  test.each([
    ['domain-is-pure', 'common/src/domain/reads-disk.ts'],
    ['domain-is-pure', 'common/src/domain/sees-io.ts'],
    ['domain-is-pure', 'common/src/domain/sees-type-of-io.ts'],
    ['domain-is-pure', 'common/src/domain/uses-package.ts'],
    ['no-cycles', 'common/src/domain/one.ts'],
    ['common-stands-alone', 'common/src/io/sees-service.ts'],
    ['sources-never-import-tests', 'common/src/io/sees-test.ts'],
    ['resolvable', 'common/src/io/sees-nothing.ts'],
    ['services-meet-on-the-wire', 'node/src/sees-consent.ts'],
    ['adapters-know-no-wiring', 'node/src/io/sees-wiring.ts'],
  ])('reports %s at %s', (rule, path) => {
    expect(violations).toContain(`${rule} services/${path}`);
  });

  test.each(['common/src/domain/pure.ts', 'common/src/io/good.ts', 'node/src/service.ts'])(
    'reports nothing at %s',
    (path) => {
      expect(violations.filter((line) => line.endsWith(path))).toEqual([]);
    },
  );
});
