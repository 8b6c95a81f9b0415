import type { Judged } from './justified.js';
import type { Mutant } from './mutant.js';

/** Counts of mutants; `score` in percent, see `scoreOf`. */
export interface Figures {
  readonly mutants: number;
  readonly killed: number;
  readonly timeout: number;
  readonly survived: number;
  readonly noCoverage: number;
  readonly justified: number;
  readonly score: number;
}

/** `survived` and `noCoverage` count those that nobody has justified. */
export function figuresOf(judged: readonly Judged[]): Figures {
  const open = judged.filter(({ reason }) => reason === undefined);
  const count = (outcome: Judged['outcome']) =>
    open.filter((each) => each.outcome === outcome).length;
  const counts = {
    mutants: judged.length,
    killed: count('killed'),
    timeout: count('timeout'),
    survived: count('survived'),
    noCoverage: count('none'),
    justified: judged.length - open.length,
  };
  return { ...counts, score: scoreOf(counts.killed + counts.timeout, counts.mutants) };
}

/** Of all mutants, also of those that are justified, how many a test noticed: percent, to one tenth, rounded down. */
function scoreOf(noticed: number, mutants: number): number {
  return mutants === 0 ? 100 : Math.floor((1_000 * noticed) / mutants) / 10;
}

/** `services/common` of `services/common/src/domain/ids.ts`. */
export function workspaceOf({ file }: Mutant): string {
  return file.split('/').slice(0, 2).join('/');
}

/** One line for each file, or workspace: its score, and how its mutants ended. */
export function scoreLines(
  judged: readonly Judged[],
  groupOf: (mutant: Mutant) => string,
): string[] {
  return groups(judged, groupOf).map(([group, own]) => {
    const { mutants, killed, timeout, survived, noCoverage, justified, score } = figuresOf(own);
    const counts = [
      `${String(killed + timeout)} of ${String(mutants)}`,
      `survived ${String(survived)}`,
      `not reached ${String(noCoverage)}`,
      `justified ${String(justified)}`,
    ];
    return `${score.toFixed(1).padStart(6)} %  ${group}  ${counts.join(', ')}`;
  });
}

/** Every mutant that no test noticed and nobody justified: where it is, and the change. */
export function survivorLines(judged: readonly Judged[]): string[] {
  return judged
    .filter(({ outcome, reason }) => isUnnoticed(outcome) && reason === undefined)
    .map(({ mutant: { file, line, operator, from, to, in: place }, outcome }) => {
      const mark = outcome === 'none' ? 'not reached' : 'survived';
      return `${file}:${String(line)} ${place || '-'} [${operator}] ${mark}: ${from}  →  ${to}`;
    });
}

function isUnnoticed(outcome: Judged['outcome']): boolean {
  return outcome === 'survived' || outcome === 'none';
}

/** In the order of their first mutants. */
export function groups(
  judged: readonly Judged[],
  groupOf: (mutant: Mutant) => string,
): [string, readonly Judged[]][] {
  const names = [...new Set(judged.map(({ mutant }) => groupOf(mutant)))];
  return names.map((name) => [name, judged.filter(({ mutant }) => groupOf(mutant) === name)]);
}
