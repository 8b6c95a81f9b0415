/** What must not be, each kind with its name; the checker says of each which and where. */
export const ANOMALIES = [
  'aborted',
  'lost',
  'unseen',
  'doubled',
  'skipped',
  'nonMonotonic',
  'inconsistent',
  'resurrected',
  'unaccounted',
] as const;
export type Anomaly = (typeof ANOMALIES)[number];

export interface Finding {
  readonly anomaly: Anomaly;
  /** for people: which event or offset, and where */
  readonly text: string;
}

export type Counts = Readonly<Record<Anomaly, number>>;

export function countOf(findings: readonly Finding[]): Counts {
  const zero = Object.fromEntries(ANOMALIES.map((name) => [name, 0])) as Record<Anomaly, number>;
  for (const { anomaly } of findings) zero[anomaly] += 1;
  return zero;
}
