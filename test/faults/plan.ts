import { seededRandom } from '@concordat/cli/demo/chaos.js';

/**
 * What can be done to a run. Brokers are struck one after the other, for two of three must hold what is acknowledged; so is
 * each other group, and the groups at the same time.
 */
export const GROUPS = {
  brokers: ['broker-kill', 'broker-stop', 'segment-cut', 'broker-disk-full'],
  services: ['service-kill', 'service-stop', 'service-disk-full'],
  links: ['link-cut', 'link-silent', 'link-slow'],
  topics: ['rebalance', 'records-deleted'],
  readers: ['reader-kill'],
} as const;
type Group = keyof typeof GROUPS;
export type StrikeKind = (typeof GROUPS)[Group][number];

/** One fault: when it begins, how long until it is taken away, and numbers to choose its victim by. */
export interface Strike {
  readonly kind: StrikeKind;
  readonly atMs: number;
  readonly lastsMs: number;
  /** 0 to 1; of so many victims it takes the one that this part of them leads to */
  readonly victim: number;
  readonly place: number;
}

/** How long each lasts, and how long its group then rests. A session of a group ends after 10 s of silence. */
const LASTS_MS: Readonly<Record<StrikeKind, readonly [number, number]>> = {
  'broker-kill': [500, 3_000],
  'broker-stop': [1_000, 7_000],
  'segment-cut': [500, 1_500],
  'broker-disk-full': [1_500, 3_000],
  'service-kill': [0, 0],
  'service-stop': [500, 12_000],
  'service-disk-full': [1_000, 4_000],
  'link-cut': [0, 4_000],
  'link-silent': [500, 12_000],
  'link-slow': [1_000, 5_000],
  rebalance: [1_000, 4_000],
  'records-deleted': [0, 0],
  'reader-kill': [0, 0],
};
const REST_MS: Readonly<Record<Group, readonly [number, number]>> = {
  brokers: [4_000, 8_000],
  services: [1_000, 4_000],
  links: [500, 3_000],
  topics: [2_000, 6_000],
  readers: [200, 1_500],
};
/** So many of the kinds of a group take part in a run: each run has a mix of its own. */
const TAKES_PART = 0.75;

/** The faults of one run. All of it follows from the seed. */
export function planStorm(seed: number, stormMs: number): Strike[] {
  const random = seededRandom(seed);
  const between = ([low, high]: readonly [number, number]): number =>
    Math.round(low + random() * (high - low));
  const strikes: Strike[] = [];
  for (const group of Object.keys(GROUPS) as Group[]) {
    const all: readonly StrikeKind[] = GROUPS[group];
    const drawn = all.filter(() => random() < TAKES_PART);
    const kinds = drawn.length > 0 ? drawn : all;
    for (let atMs = between(REST_MS[group]) / 2; atMs < stormMs;) {
      const kind = kinds[Math.floor(random() * kinds.length)] ?? kinds[0];
      if (kind === undefined) break;
      const lastsMs = between(LASTS_MS[kind]);
      strikes.push({ kind, atMs, lastsMs, victim: random(), place: random() });
      atMs += lastsMs + between(REST_MS[group]);
    }
  }
  return strikes.sort((one, other) => one.atMs - other.atMs);
}

/** The group of a kind: its strikes wait for one another. */
export function groupOf(kind: StrikeKind): Group {
  const found = (Object.keys(GROUPS) as Group[]).find((group) =>
    (GROUPS[group] as readonly StrikeKind[]).includes(kind),
  );
  if (!found) throw new TypeError(`no group has ${kind}`);
  return found;
}
