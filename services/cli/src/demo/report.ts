import type { Kill } from './chaos.js';
import type { SceneFinding } from './scenes/scene.js';

/** What `concordat demo run` writes; every figure is counted in this run. */
export interface DemoReport {
  readonly published: number;
  readonly purged: number;
  readonly delisted: readonly string[];
  readonly certificates: { readonly issued: number; readonly verified: number };
  readonly members: Readonly<
    Record<string, { readonly released: number; readonly readable: number }>
  >;
  readonly withheld: Readonly<Record<string, number>>;
  readonly withheldReasons: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** keys that the origin's node refused although consent had released them: member, reason, count */
  readonly keysRefused: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly attacks: Readonly<Record<AttackName, AttackResult>>;
  readonly attackDetails: Readonly<Record<AttackName, AttackDetail>>;
  readonly resurrected: number;
  /** what the further scenes found, by their names */
  readonly scenes: Readonly<Record<string, SceneFinding>>;
  readonly replay: ReplayFinding;
  readonly latencyMs: Percentiles;
  readonly purgeMs: Percentiles;
  /** `source`: KAFKA_BROKERS, or how ours ran, `docker` or `java` */
  readonly kafka: { readonly source: string; readonly brokers: readonly string[] };
  /** by process, the broker included when it is ours */
  readonly restarts: Readonly<Record<string, number>>;
  /** SIGKILLs that the run sent by itself, in their order */
  readonly kills: readonly Kill[];
  readonly durationMs: number;
}

/** The main job's report without what differs from run to run: keys, times, ports, restarts. */
export function lasting(report: DemoReport): Record<string, unknown> {
  const { latencyMs: _1, purgeMs: _2, kafka: _3, restarts: _4, kills: _5, ...others } = report;
  const { durationMs: _6, scenes: _7, ...rest } = others;
  const attackDetails = Object.fromEntries(
    Object.entries(report.attackDetails).map(([name, detail]) => {
      const { stateBefore: _before, stateAfter: _after, ...said } = detail;
      return [name, said];
    }),
  );
  return { ...rest, attackDetails };
}

export type AttackName = 'forgedPurge' | 'replay' | 'readPurged';
export type AttackResult = 'refused' | 'ignored' | 'accepted';

export interface AttackDetail {
  /** the code that the node gave, or the counter that rose */
  readonly code: string;
  /** digests of ids, sections and keys held, tombstones, heads and receipts; base64url */
  readonly stateBefore: string;
  readonly stateAfter: string;
  /** forgedPurge: every forgery that was tried, and the code that it met */
  readonly forgeries?: Readonly<Record<string, string>>;
}

/** After every recipient read everything again from zero. */
export interface ReplayFinding {
  readonly ledgerRecordsAdded: number;
  readonly receiptsAdded: number;
  /** releases of purged events that were met again in the feeds, and passed over */
  readonly purgedSkipped: number;
  readonly stateChanged: readonly string[];
}

export interface Percentiles {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** Nearest rank; zeros when nothing was measured. */
export function percentiles(values: readonly number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number =>
    Math.round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0);
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}
