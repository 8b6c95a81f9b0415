import { parseArgs } from 'node:util';

export const PHASES = ['throughput', 'latency', 'purge', 'bulk', 'growth', 'recipients'] as const;
export type Phase = (typeof PHASES)[number];

/** What is measured, and how much of it. */
export interface BenchPlan {
  readonly phases: readonly Phase[];
  /** each figure is the median of so many measurements */
  readonly rounds: number;
  /** events of one measurement of throughput */
  readonly events: number;
  /** events before anything is measured, so that code is compiled and caches are filled */
  readonly warmUp: number;
  readonly latency: { readonly seconds: number; readonly perSecond: number };
  readonly purge: {
    readonly seconds: number;
    readonly ordersPerSecond: number;
    /** events that are published at the same time */
    readonly eventsPerSecond: number;
  };
  readonly bulk: { readonly orders: number; readonly idsPerOrder: number };
  /** what an event costs with `few` stored against `many`, over so many `events` */
  readonly growth: {
    readonly few: number;
    readonly many: number;
    /** events between a restart and the measurement, so that code is equally warm on both sides */
    readonly warmUp: number;
    readonly events: number;
  };
  readonly recipients: { readonly most: number; readonly events: number };
  /** names of processes that write a CPU profile */
  readonly profile: readonly string[];
  readonly out: string;
}

const FULL: Omit<BenchPlan, 'phases' | 'profile' | 'out'> = {
  rounds: 5,
  events: 20_000,
  warmUp: 10_000,
  latency: { seconds: 8, perSecond: 500 },
  purge: { seconds: 8, ordersPerSecond: 100, eventsPerSecond: 500 },
  bulk: { orders: 50, idsPerOrder: 2_000 },
  growth: { few: 10_000, many: 200_000, warmUp: 4_000, events: 2_000 },
  recipients: { most: 3, events: 2_000 },
};

/** For while something is tuned: a minute, throughput and the cost of an event only. */
const QUICK: typeof FULL = { ...FULL, rounds: 3, events: 8_000, warmUp: 5_000 };

const USAGE = `usage: make bench [QUICK=1] [ONLY=${PHASES.join(',')}] [PROFILE=origin-node,consent] [ARGS='--rounds N --events N --scale 0.1']`;

function isPhase(text: string): text is Phase {
  return (PHASES as readonly string[]).includes(text);
}

function list(text: string | undefined): string[] {
  return (text ?? '').split(',').filter((each) => each !== '');
}

function count(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new RangeError(`--${name}: expected a number from 1, came ${text}\n${USAGE}`);
}

/** All amounts times `by`, for a look at whether everything works: the figures mean little. */
function scaled(plan: typeof FULL, by: number): typeof FULL {
  if (!(by > 0 && by <= 1)) throw new RangeError(`--scale: expected above 0 up to 1\n${USAGE}`);
  const of = (amount: number): number => Math.max(1, Math.round(amount * by));
  const { events, warmUp, latency, purge, bulk, growth, recipients } = plan;
  return {
    rounds: plan.rounds,
    ...{ events: of(events), warmUp: of(warmUp) },
    latency: { ...latency, seconds: of(latency.seconds) },
    purge: { ...purge, seconds: of(purge.seconds) },
    bulk: { ...bulk, idsPerOrder: of(bulk.idsPerOrder) },
    growth: {
      ...{ few: of(growth.few), many: of(growth.many) },
      ...{ warmUp: of(growth.warmUp), events: of(growth.events) },
    },
    recipients: { ...recipients, events: of(recipients.events) },
  };
}

/** @throws Error naming what cannot be understood */
export function readPlan(args: readonly string[]): BenchPlan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      profile: { type: 'string' },
      rounds: { type: 'string' },
      events: { type: 'string' },
      'warm-up': { type: 'string' },
      out: { type: 'string', default: 'out/bench.json' },
      scale: { type: 'string', default: '1' },
    },
  });
  const base = scaled(values.quick ? QUICK : FULL, Number(values.scale));
  const asked = list(values.only);
  const unknown = asked.filter((name) => !isPhase(name));
  if (unknown.length > 0) throw new RangeError(`no phase ${unknown.join(', ')}\n${USAGE}`);
  const usual: readonly Phase[] = values.quick ? ['throughput'] : PHASES;
  return {
    ...base,
    phases: asked.length > 0 ? asked.filter(isPhase) : usual,
    rounds: count('rounds', values.rounds, base.rounds),
    events: count('events', values.events, base.events),
    warmUp: count('warm-up', values['warm-up'], base.warmUp),
    profile: list(values.profile),
    out: values.out,
  };
}
