import { readFileSync } from 'node:fs';
import type { Mutant, Outcome } from './mutant.js';

/**
 * Why no test can notice one mutant. `file`, `in`, `from` and `to` as the run prints them, so that it stays
 * valid when lines move; `nth`, counted from 1, when the same change is possible more than once there.
 */
interface Justified {
  readonly file: string;
  readonly in: string;
  readonly from: string;
  readonly to: string;
  readonly nth?: number;
  readonly reason: string;
}

export interface Judged {
  readonly mutant: Mutant;
  readonly outcome: Outcome;
  /** Why it may survive. */
  readonly reason?: string;
}

export function readJustified(path: string): readonly Justified[] {
  return JSON.parse(readFileSync(path, 'utf8')) as readonly Justified[];
}

/**
 * Which mutants may survive, and every entry that is no longer right: it fits no mutant of these files or
 * more than one, gives no reason, or a test does notice its mutant.
 */
export function judge(
  entries: readonly Justified[],
  outcomes: ReadonlyMap<Mutant, Outcome>,
): { readonly judged: readonly Judged[]; readonly problems: readonly string[] } {
  const files = new Set([...outcomes.keys()].map(({ file }) => file));
  const reasons = new Map<Mutant, string>();
  const problems: string[] = [];
  for (const entry of entries.filter(({ file }) => files.has(file))) {
    const fitting = [...outcomes.keys()].filter((mutant) => fits(entry, mutant));
    const mutant = entry.nth === undefined ? fitting[0] : fitting[entry.nth - 1];
    const name = `${entry.file} ${entry.in}: ${entry.from} → ${entry.to}`;
    if (!mutant) problems.push(`${name}: no mutant is like this any more; take the entry away`);
    else if (entry.nth === undefined && fitting.length > 1) {
      problems.push(`${name}: ${String(fitting.length)} mutants are like this; say which with nth`);
    } else if (entry.reason.trim() === '') problems.push(`${name}: no reason is given`);
    else if (outcomes.get(mutant) !== 'survived' && outcomes.get(mutant) !== 'none') {
      problems.push(`${name}: a test notices it; take the entry away`);
    } else reasons.set(mutant, entry.reason);
  }
  const judged = [...outcomes].map(([mutant, outcome]): Judged => {
    const reason = reasons.get(mutant);
    return { mutant, outcome, ...(reason !== undefined && { reason }) };
  });
  return { judged, problems };
}

function fits(entry: Justified, mutant: Mutant): boolean {
  return (
    entry.file === mutant.file &&
    entry.in === mutant.in &&
    entry.from === mutant.from &&
    entry.to === mutant.to
  );
}
