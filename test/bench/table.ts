import type { BenchReport } from './report.js';

/** A line of the table: ours, what it is held against, and how they compare. */
interface Row {
  readonly what: string;
  readonly ours: string;
  readonly reference?: string;
  /** a field, or the quotient of ours and the reference */
  readonly compared?: string;
  /** none: for information */
  readonly limit?: readonly [kind: 'at least' | 'at most', value: number];
}

const ROWS: readonly Row[] = [
  {
    what: 'events/s until readable',
    ours: 'eventsPerSecond',
    reference: 'rawEventsPerSecond',
    compared: 'ratio',
    limit: ['at least', 0.4],
  },
  {
    what: 'the same, against the reference tuned',
    ours: 'eventsPerSecond',
    reference: 'rawTunedEventsPerSecond',
    compared: 'ratioToTuned',
  },
  {
    what: 'p99 ms until readable, steady rate',
    ours: 'p99Ms',
    reference: 'rawP99Ms',
    compared: 'p99Ratio',
    limit: ['at most', 3],
  },
  { what: 'the same, the reference tuned', ours: 'p99Ms', reference: 'rawTunedP99Ms' },
  { what: 'p99 ms from order to receipt', ours: 'purgeP99Ms', limit: ['at most', 1_000] },
  {
    what: 'events/s withdrawn, against taken in',
    ours: 'bulkPurgedPerSecond',
    reference: 'bulkIngestedPerSecond',
    compared: 'bulkPurgeRatio',
    limit: ['at least', 1],
  },
  {
    what: 'CPU ms/event with many stored, against few',
    ours: 'cpuMsWithMany',
    reference: 'cpuMsWithFew',
    compared: 'costGrowth',
    limit: ['at most', 1.2],
  },
  {
    what: 'CPU ms/event of a further recipient, against the first',
    ours: 'cpuMsOfFurther',
    reference: 'cpuMsOfFirst',
    compared: 'perRecipient',
    limit: ['at most', 0.5],
  },
];
const RSS_MIB_MAX = 300;

type Line = readonly [what: string, ours: string, reference: string, ratio: string, judged: string];

function judge(value: number, [kind, limit]: NonNullable<Row['limit']>): string {
  const met = kind === 'at least' ? value >= limit : value <= limit;
  return `${kind} ${String(limit)}: ${met ? 'met' : 'MISSED'}`;
}

/** The figures that were measured, for people. */
export function tableOf(report: BenchReport): string {
  const number = (field: string | undefined): number | undefined => {
    const value = field === undefined ? undefined : report[field];
    return typeof value === 'number' ? value : undefined;
  };
  const text = (value: number | undefined): string => (value === undefined ? '' : String(value));
  const lines: Line[] = [['', 'ours', 'reference', 'ratio', '']];
  for (const { what, ours, reference, compared, limit } of ROWS) {
    const value = number(ours);
    if (value === undefined) continue;
    const ratio = number(compared);
    const judged = limit ? judge(ratio ?? value, limit) : '';
    lines.push([what, text(value), text(number(reference)), text(ratio), judged]);
  }
  const cpu = (report['cpuMsPerEvent'] ?? {}) as Readonly<Record<string, number>>;
  for (const [name, ms] of Object.entries(cpu)) {
    lines.push([`CPU ms/event, ${name}`, text(ms), '', '', '']);
  }
  for (const [name, mib] of Object.entries(report.rssMiB)) {
    const judged = isService(name) ? judge(mib, ['at most', RSS_MIB_MAX]) : '';
    lines.push([`MiB, ${name}`, text(Math.round(mib)), '', '', judged]);
  }
  return aligned(lines);
}

/** The bench's own processes have no limit. */
function isService(name: string): boolean {
  return name.endsWith('-node') || name === 'consent' || name === 'revocation';
}

function aligned(lines: readonly Line[]): string {
  const widths = [0, 1, 2, 3].map((at) =>
    Math.max(...lines.map((line) => (line[at] ?? '').length)),
  );
  return lines
    .map(([what, ...rest]) =>
      [
        what.padEnd(widths[0] ?? 0),
        ...rest.slice(0, 3).map((text, at) => text.padStart(widths[at + 1] ?? 0)),
        rest[3],
      ]
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
