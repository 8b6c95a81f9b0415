import type { Child, WorkerProcess } from './children.js';
import type { BenchFederation } from './federation.js';
import { cpuMs } from './proc.js';
import type { Place } from './connect.js';
import type { Stage } from './stage.js';
import { untilComplete } from './until-complete.js';
import type { PublisherCalls } from './workers/publisher.js';

/** A federation with a national system that publishes at its origin. */
export interface Origin {
  readonly stage: Stage;
  readonly federation: BenchFederation;
  readonly publisher: WorkerProcess<PublisherCalls>;
  /** the first recipient */
  readonly recipient: Place;
}

export async function openOrigin(stage: Stage, federation: BenchFederation): Promise<Origin> {
  const publisher = await stage.worker<PublisherCalls>('publisher');
  await publisher.calls.connect({ home: federation.home, member: federation.origin });
  const { home, recipients } = federation;
  const [member = federation.origin] = recipients;
  return { stage, federation, publisher, recipient: { home, member } };
}

export async function closeOrigin({ federation, publisher }: Origin): Promise<void> {
  await publisher.child.stop();
  await federation.stop();
}

/** One measurement: from the first call to the moment when every recipient can read everything. */
export interface IngestRun {
  readonly ids: readonly string[];
  readonly eventsPerSecond: number;
  readonly wallMsPerEvent: number;
  readonly eventsPerBlock: number;
  /** CPU time by process; `kafka` when the broker is ours */
  readonly cpuMsPerEvent: Readonly<Record<string, number>>;
}

async function cpuBy(origin: Origin): Promise<Map<string, number>> {
  const { stage, federation, publisher } = origin;
  const children: readonly Child[] = [...federation.services(), publisher.child];
  const used = new Map<string, number>();
  for (const child of children) used.set(child.name, await child.cpuMs());
  if (stage.brokerPid !== undefined) used.set('kafka', await cpuMs(stage.brokerPid));
  return used;
}

/** Publishes `count` new events as fast as they are taken, and waits until all can be read. @throws Error when one is lost */
export async function ingest(origin: Origin, count: number): Promise<IngestRun> {
  const { stage, federation, publisher } = origin;
  const ids = await publisher.calls.prepare(count);
  const heldBefore = await federation.readable();
  const cpuBefore = await cpuBy(origin);
  const { firstMs, blocks } = await stage.unlessFailed(publisher.calls.publishAll());
  const readable = async (): Promise<number> => {
    const held = await federation.readable();
    return Math.min(...held.map((now, at) => now - (heldBefore[at] ?? 0)));
  };
  const lastMs = await stage.unlessFailed(
    untilComplete('events that can be read', count, readable),
  );
  const cpuAfter = await cpuBy(origin);
  await assertExact(federation, heldBefore, count);
  const cpuMsPerEvent = [...cpuAfter].map(([name, ms]) => [
    name,
    (ms - (cpuBefore.get(name) ?? 0)) / count,
  ]);
  return {
    ids,
    eventsPerSecond: (count * 1_000) / (lastMs - firstMs),
    wallMsPerEvent: (lastMs - firstMs) / count,
    eventsPerBlock: count / blocks,
    cpuMsPerEvent: Object.fromEntries(cpuMsPerEvent) as Record<string, number>,
  };
}

/** A figure counts only if every event came exactly once. */
async function assertExact(
  federation: BenchFederation,
  heldBefore: readonly number[],
  count: number,
): Promise<void> {
  const wanted = heldBefore.map((held) => held + count);
  const held = await federation.readable();
  const { waiting } = await federation.leftOver();
  if (held.join() !== wanted.join() || waiting > 0) {
    const text = `readable ${held.join(', ')}, waiting ${String(waiting)}`;
    throw new Error(
      `events were lost or doubled: expected readable ${wanted.join(', ')}, came ${text}`,
    );
  }
}

/** CPU time of an event over all services of the federation, without the bench's own and the broker's. */
export function serviceCpuMs(run: IngestRun, federation: BenchFederation): number {
  return federation
    .services()
    .reduce((total, { name }) => total + (run.cpuMsPerEvent[name] ?? 0), 0);
}

/** Fills the stores up, a few at a time. */
export async function fill(origin: Origin, count: number): Promise<void> {
  const CHUNK = 20_000;
  for (let rest = count; rest > 0; rest -= CHUNK) {
    await ingest(origin, Math.min(CHUNK, rest));
    if (rest > CHUNK) origin.stage.progress(`  filling: ${String(rest - CHUNK)} to go`);
  }
}
