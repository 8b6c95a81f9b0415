import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { filesBelow } from './files-below.js';

/**
 * The unit tests that count: those of `make check`, but for what checks documents, the house or tools, and but for
 * those beside a `service.ts`, which start whole services and take seconds each.
 */
const TESTS = ['services/', 'test/schemas/', 'test/un-list/', 'test/vectors/'];
const STARTS_A_SERVICE = /^services\/[^/]+\/src\/[^/]+$/;

/** Unit tests, from the root, that import one of the files, perhaps through others. */
export function testsThatReach(root: string, files: ReadonlySet<string>): string[] {
  const imports = new Map<string, readonly string[]>();
  const importsOf = (path: string) => {
    const known = imports.get(path) ?? readImports(path);
    imports.set(path, known);
    return known;
  };
  return TESTS.flatMap((folder) => filesBelow(join(root, folder), /\.test\.ts$/))
    .filter((path) => !STARTS_A_SERVICE.test(relative(root, path)))
    .filter((path) => reaches(path, importsOf, (each) => files.has(relative(root, each))))
    .map((path) => relative(root, path));

  function readImports(path: string): readonly string[] {
    const source = readFileSync(path, 'utf8');
    return [...source.matchAll(/^(?:import|export)\b[^;]*?from '([^']+)'/gmu)]
      .map((match) => sourceOf(root, path, match[1] ?? ''))
      .filter((each) => each !== undefined);
  }
}

function reaches(
  start: string,
  importsOf: (path: string) => readonly string[],
  isWanted: (path: string) => boolean,
): boolean {
  const seen = new Set([start]);
  for (const path of seen) {
    if (isWanted(path)) return true;
    for (const next of importsOf(path)) seen.add(next);
  }
  return false;
}

function sourceOf(root: string, from: string, name: string): string | undefined {
  const own = /^@concordat\/([a-z]+)\/(.*)$/.exec(name);
  if (!own && !name.startsWith('.')) return undefined;
  const path = own
    ? join(root, 'services', own[1] ?? '', 'src', own[2] ?? '')
    : resolve(dirname(from), name);
  const typed = path.replace(/\.js$/, '.ts');
  return existsSync(typed) ? typed : undefined;
}
