import type { Finding } from './findings.js';
import { FINAL, type History, type LogKind, eventOf, withdrawn } from './history.js';

/** Everything that anybody ever saw in a log. */
export interface SeenLog {
  readonly name: string;
  readonly kind: LogKind;
  readonly at: ReadonlyMap<number, string>;
  /** the first offset of each value */
  readonly offsetOf: ReadonlyMap<string, number>;
}

/** Joins what all readers of each log saw, and tells where they disagree. */
export function joinLogs({ logs, polls }: Pick<History, 'logs' | 'polls'>): {
  readonly seen: ReadonlyMap<string, SeenLog>;
  readonly findings: Finding[];
} {
  const findings: Finding[] = [];
  const seen = new Map(
    [...logs].map(([name, kind]) => [
      name,
      { name, kind, at: new Map<number, string>(), offsetOf: new Map<string, number>() },
    ]),
  );
  for (const op of polls) {
    const log = seen.get(op.log);
    if (!log) throw new TypeError(`the history names no log ${op.log}`);
    if (op.kind === 'assign') continue;
    for (const { offset, value } of op.values) {
      const where = `${op.log} offset ${String(offset)}`;
      const other = log.at.get(offset) ?? value;
      if (other !== value) {
        findings.push({ anomaly: 'inconsistent', text: `${where}: ${other} and ${value}` });
      }
      const first = log.offsetOf.get(value) ?? offset;
      if (first !== offset && log.kind === 'notices') {
        findings.push({ anomaly: 'doubled', text: `${where}: ${value}, also at ${String(first)}` });
      }
      log.at.set(offset, other);
      log.offsetOf.set(value, first);
    }
  }
  return { seen, findings };
}

/** In a lane, what anybody saw is there in the end, from where the last reader could begin. */
export function checkEnds(
  { polls }: Pick<History, 'polls'>,
  seen: ReadonlyMap<string, SeenLog>,
): Finding[] {
  const ends = new Map<string, { after: number; last: number }>();
  for (const op of polls) {
    if (op.reader !== FINAL) continue;
    if (op.kind === 'assign') ends.set(op.log, { after: op.after, last: op.after });
    const end = ends.get(op.log);
    const offset = op.kind === 'poll' ? op.values.at(-1)?.offset : undefined;
    if (end && offset !== undefined) end.last = offset;
  }
  return [...seen.values()].flatMap(({ name, kind, at }) => {
    const end = ends.get(name);
    if (kind === 'notices' || !end) return [];
    const beyond = [...at.keys()].filter((offset) => offset > end.last);
    return beyond.map((offset): Finding => {
      return { anomaly: 'lost', text: `${name} offset ${String(offset)}: it is there no more` };
    });
  });
}

/** Offsets of a log in order, without those that may be gone: what was withdrawn stands further on instead. */
function lastingOffsets({ kind, at, offsetOf }: SeenLog): number[] {
  const lasting = [...at].filter(([offset, value]) => {
    const { kind: notice, event } = eventOf(value);
    const replacedAt = offsetOf.get(withdrawn(event)) ?? -1;
    return kind === 'lane' || notice !== 'READABLE' || replacedAt < offset;
  });
  return lasting.map(([offset]) => offset).sort((a, b) => a - b);
}

/** Is there an offset between these two, both excluded? The first one. */
function firstBetween(offsets: readonly number[], low: number, high: number): number | undefined {
  let [from, to] = [0, offsets.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((offsets[middle] ?? 0) > low) to = middle;
    else from = middle + 1;
  }
  const found = offsets[from];
  return found !== undefined && found < high ? found : undefined;
}

/** Each reader by itself: does it go back, or leave out what others saw? */
export function checkReaders(
  { polls }: Pick<History, 'polls'>,
  seen: ReadonlyMap<string, SeenLog>,
): Finding[] {
  const findings: Finding[] = [];
  const lasting = new Map([...seen].map(([name, log]) => [name, lastingOffsets(log)]));
  const stands = new Map<string, number>();
  for (const op of polls) {
    const key = `${op.reader} of ${op.log}`;
    if (op.kind === 'assign') {
      stands.set(key, op.after);
      continue;
    }
    for (const { offset } of op.values) {
      const before = stands.get(key);
      if (before === undefined) throw new TypeError(`${key} was not assigned`);
      const text = `${key}: ${String(offset)} after ${String(before)}`;
      if (offset <= before) findings.push({ anomaly: 'nonMonotonic', text });
      const skipped = firstBetween(lasting.get(op.log) ?? [], before, offset);
      if (skipped !== undefined) {
        findings.push({ anomaly: 'skipped', text: `${text} leaves out ${String(skipped)}` });
      }
      stands.set(key, offset);
    }
  }
  return findings;
}
