import { mkdir, rm } from 'node:fs/promises';
import { seededRandom } from '@concordat/cli/demo/chaos.js';
import type { BrokerRunner } from '@concordat/cli/io/broker/runner.js';
import { type CaseName, runCases } from './cases/all.js';
import { check } from './checker/check.js';
import type { Finding } from './checker/findings.js';
import { lookAtAll } from './final-look.js';
import { Book } from './load/book.js';
import { Generations, LaneReader } from './load/lane-reader.js';
import { Officer } from './load/officer.js';
import { publish } from './load/publisher.js';
import { keepPurging } from './load/purging.js';
import { settle } from './load/settle.js';
import { Subscriber } from './load/subscriber.js';
import { planStorm } from './plan.js';
import { BROKERS, type Cluster, startCluster } from './stage/cluster.js';
import { MEMBERS, ORIGIN, RECIPIENTS, type Stage, startFederation } from './stage/federation.js';
import { type SmallDisk, mountSmallDisk } from './stage/small-disk.js';
import { rage } from './strikes/storm.js';
import { TOPICS } from './strikes/strike.js';
import { type World, nationalOf } from './world.js';

const PUBLISHERS = 3;
const SUBSCRIBERS = 2;
/** The reader of lanes has links of its own, which nobody cuts: a broker that is away is enough for it. */
const READER = 'reader';
/** Services whose disk can be filled; the others have few bytes to write. */
const FILLED = ['un-node', 'de-node'];

export interface RunOptions {
  readonly seed: number;
  readonly events: number;
  readonly stormMs: number;
  readonly cases: readonly CaseName[];
  /** for everything that the run writes */
  readonly dir: string;
  readonly runner: BrokerRunner;
  readonly tell: (text: string) => void;
}

export interface RunResult {
  readonly seed: number;
  readonly acknowledged: number;
  readonly orders: number;
  readonly readings: number;
  readonly findings: readonly Finding[];
  readonly faults: Readonly<Record<string, number>>;
  /** by case: `ok`, or what went otherwise */
  readonly cases: Readonly<Partial<Record<CaseName, string>>>;
  /** by process: how often it was started again */
  readonly restarts: Readonly<Record<string, number>>;
  readonly durationMs: number;
}

/** One cluster, one federation, one storm of faults, some cases; then everything is asked and judged. */
export async function runOnce(options: RunOptions, stop: AbortSignal): Promise<RunResult> {
  const { dir } = options;
  const startMs = performance.now();
  const tell = (text: string): void => {
    options.tell(`${((performance.now() - startMs) / 1_000).toFixed(1).padStart(6)} s  ${text}`);
  };
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  const ended: (() => Promise<unknown>)[] = [];
  const stopped = new Promise<never>((_resolve, reject) => {
    stop.addEventListener('abort', () => reject(stop.reason as Error), { once: true });
  });
  stopped.catch(() => undefined);
  try {
    const result = await Promise.race([runUntilJudged(options, tell, ended), stopped]);
    return { ...result, durationMs: Math.round(performance.now() - startMs) };
  } finally {
    for (const end of ended.reverse()) await end();
  }
}

/** @param ended takes what has to be ended after, in the order in which it was begun */
async function runUntilJudged(
  options: RunOptions,
  tell: (text: string) => void,
  ended: (() => Promise<unknown>)[],
): Promise<Omit<RunResult, 'durationMs'>> {
  const { seed, dir, runner, cases } = options;
  const disks = new Map<string, SmallDisk>();
  const small = async (name: string, path: string): Promise<void> => {
    const disk = await mountSmallDisk(path);
    if (!disk) return;
    disks.set(name, disk);
    ended.push(() => disk.unmount());
  };
  for (let at = 1; at <= BROKERS; at += 1) {
    await small(`broker-${String(at)}`, `${dir}/broker-${String(at)}/logs`);
  }
  const cluster = await startCluster({ dir, runner, users: [...MEMBERS, READER], ended });
  tell('three brokers are up');
  const stage = await startFederation({
    ...{ dir, cluster, ended },
    prepare: async (dataDirs) => {
      for (const name of FILLED) await small(name, dataDirs.get(name) ?? '');
    },
  });
  tell(`${String(stage.services.size)} services are up`);
  const world = makeWorld(stage, cluster, disks, tell);
  const { book, officer, generations } = world;
  ended.push(async () => {
    book.isClosed = true;
    await Promise.all(world.subscribers.map((one) => one.close()));
  });
  const lanes = new LaneReader('lanes', {
    ...{ topics: TOPICS, brokers: cluster.addressesFor(READER), book, generations },
  });
  ended.push(() => lanes.close());

  const faults = await storm(world, options);
  tell(
    `the storm is over: ${String(book.acknowledged.size)} events, ${String(officer.orders)} orders`,
  );
  const outcomes = await runCases(world, cases);
  await settle(world);
  tell('everybody was told of everything');
  const unread = await lookAtAll(world, seededRandom(seed));
  const findings: Finding[] = [
    ...check(book.history(await officer.account())),
    ...unread.map((text): Finding => ({ anomaly: 'lost', text })),
  ];
  tell(`checked: ${String(findings.length)} findings`);
  const restarts = [...stage.services].map(([name, { starts }]) => [name, starts - 1]);
  return {
    ...{ seed, findings, faults, cases: outcomes, acknowledged: book.acknowledged.size },
    ...{ orders: officer.orders, readings: book.readings.length },
    restarts: Object.fromEntries(restarts) as Record<string, number>,
  };
}

function makeWorld(
  stage: Stage,
  cluster: Cluster,
  disks: ReadonlyMap<string, SmallDisk>,
  tell: (text: string) => void,
): World {
  const book = new Book();
  const subscribers = RECIPIENTS.flatMap((member) =>
    Array.from({ length: SUBSCRIBERS }, (_, nth) => {
      const name = `${member}-${String(nth + 1)}`;
      return new Subscriber(name, member, nationalOf({ stage }, member), book);
    }),
  );
  const officer = new Officer(stage);
  const generations = new Generations();
  return { stage, cluster, book, officer, generations, subscribers, disks, tell };
}

/** Publishes, takes back, reads, and strikes. Resolves when all is published and all is whole again. */
async function storm(
  world: World,
  { seed, events, stormMs }: RunOptions,
): Promise<Readonly<Record<string, number>>> {
  const publishers = Array.from({ length: PUBLISHERS }, (_, nth) =>
    publish(nationalOf(world, ORIGIN), world.book, {
      name: `publisher-${String(nth + 1)}`,
      events: Math.ceil(events / PUBLISHERS),
      perSecond: events / PUBLISHERS / (stormMs / 1_000),
      random: seededRandom(seed * 1_000 + nth),
    }),
  );
  let isOver = false;
  const purging = keepPurging(world, seededRandom(seed * 1_000 + 500), () => isOver);
  const [faults] = await Promise.all([rage(world, planStorm(seed, stormMs)), ...publishers]);
  isOver = true;
  await purging;
  return faults;
}
