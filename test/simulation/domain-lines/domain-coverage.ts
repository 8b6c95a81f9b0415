import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { sourceLines } from './source-lines.js';
import { Reached } from './v8-coverage.js';

export interface FileCoverage {
  /** from the repository's root */
  readonly file: string;
  /** of code */
  readonly lines: number;
  /** numbers of those that no process has run */
  readonly unreached: readonly number[];
}

export interface DomainCoverage {
  readonly files: readonly FileCoverage[];
  readonly lines: number;
  readonly reached: number;
  readonly percent: number;
}

/**
 * How much of the decisions of all services was run: lines of `services/<each>/src/domain`.
 * @param dir where processes with `NODE_V8_COVERAGE` wrote to
 */
export function domainCoverage(repository: string, dir: string): DomainCoverage {
  const reached = new Reached(dir, (url) => /\/services\/[^/]+\/dist\/domain\//.test(url));
  const files = domainFiles(repository).map(({ file, compiled }): FileCoverage => {
    const { offsets } = sourceLines(join(repository, file), join(repository, compiled));
    const url = pathToFileURL(join(repository, compiled)).href;
    const unreached = [...offsets]
      .filter(([, at]) => !at.some((offset) => reached.isReached(url, offset)))
      .map(([line]) => line);
    return { file, lines: offsets.size, unreached: unreached.sort((a, b) => a - b) };
  });
  const lines = sum(files.map((one) => one.lines));
  const missing = sum(files.map((one) => one.unreached.length));
  const percent = Math.round((1000 * (lines - missing)) / lines) / 10;
  return { files, lines, reached: lines - missing, percent };
}

/** The files with lines that were not reached, the most first; then the total. */
export function coverageLines({ files, lines, reached, percent }: DomainCoverage): string[] {
  const open = files.filter((one) => one.unreached.length > 0);
  open.sort((a, b) => b.unreached.length - a.unreached.length);
  return [
    ...open.map((one) => {
      const share = `${String(one.unreached.length)} of ${String(one.lines)}`;
      return `${share.padStart(11)}  ${one.file}: ${ranges(one.unreached)}`;
    }),
    `domain lines reached: ${String(reached)} of ${String(lines)}, ${percent.toFixed(1)} %`,
  ];
}

function domainFiles(repository: string): { readonly file: string; readonly compiled: string }[] {
  return readdirSync(join(repository, 'services'))
    .flatMap((service) => {
      const below = join('services', service, 'src/domain');
      const names = readdirSync(join(repository, below), { recursive: true, encoding: 'utf8' });
      return names.map((name) => join(below, name));
    })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .sort()
    .map((file) => ({
      file,
      compiled: file.replace('/src/', '/dist/').replace(/\.ts$/, '.js'),
    }));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

/** `[3, 4, 5, 9]` becomes `3-5 9`. */
function ranges(lines: readonly number[]): string {
  const found: [number, number][] = [];
  for (const line of lines) {
    const last = found.at(-1);
    if (last && line === last[1] + 1) last[1] = line;
    else found.push([line, line]);
  }
  return found
    .map(([from, to]) => (from === to ? String(from) : `${String(from)}-${String(to)}`))
    .join(' ');
}
