import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { eventsTopic, feedTopic } from '@concordat/common/domain/topics.js';
import type { Strike, StrikeKind } from '../plan.js';
import { MEMBERS, ORIGIN, RECIPIENTS } from '../stage/federation.js';
import { type World, pick } from '../world.js';
import { intrude } from './intruder.js';
import { cutClosedSegment } from './segments.js';
import { deleteRecords } from './topics.js';

export const TOPICS = [
  eventsTopic(ORIGIN),
  ...RECIPIENTS.map((recipient) => feedTopic({ origin: ORIGIN, recipient })),
];

/** @returns what was struck, in words; undefined: there was nothing to strike */
type Act = (world: World, strike: Strike) => Promise<string | undefined>;

/** Each fault comes, stays, and is taken away again. */
const ACTS: Readonly<Record<StrikeKind, Act>> = {
  'broker-kill': async ({ cluster }, { victim, lastsMs }) => {
    const broker = pick(cluster.brokers, victim);
    await broker.end('SIGKILL');
    await delay(lastsMs);
    await broker.start();
    return `broker ${String(broker.id)}`;
  },
  'broker-stop': async ({ cluster }, { victim, lastsMs }) => {
    const broker = pick(cluster.brokers, victim);
    broker.signal('SIGSTOP');
    await delay(lastsMs);
    broker.signal('SIGCONT');
    return `broker ${String(broker.id)}`;
  },
  'segment-cut': async ({ cluster, book, generations }, strike) => {
    const broker = pick(cluster.brokers, strike.victim);
    await broker.end('SIGKILL');
    const cut = await cutClosedSegment(broker.logDir, TOPICS, strike);
    if (cut) book.taint(generations.name(cut.topic, cut.lane));
    await delay(strike.lastsMs);
    await broker.start();
    return cut && `broker ${String(broker.id)}, ${cut.topic}/${String(cut.lane)}`;
  },
  'broker-disk-full': async ({ cluster, disks }, { victim, lastsMs }) => {
    const broker = pick(cluster.brokers, victim);
    const disk = disks.get(`broker-${String(broker.id)}`);
    if (!disk) return undefined;
    await disk.fill();
    await delay(lastsMs);
    await broker.end('SIGKILL'); // it has given up, or will with its next record
    await disk.free();
    await broker.start();
    return `broker ${String(broker.id)}`;
  },
  'service-kill': async ({ stage }, { victim }) => {
    const service = pick([...stage.services.values()], victim);
    service.signal('SIGKILL');
    return service.plan.name;
  },
  'service-stop': async ({ stage }, { victim, lastsMs }) => {
    const service = pick([...stage.services.values()], victim);
    service.signal('SIGSTOP');
    await delay(lastsMs);
    service.signal('SIGCONT');
    return service.plan.name;
  },
  'service-disk-full': async ({ stage, disks }, { victim, lastsMs }) => {
    const service = pick([...stage.services.values()], victim);
    const disk = disks.get(service.plan.name);
    const { CONCORDAT_DATA_DIR: dataDir = '' } = service.plan.env;
    if (disk) await disk.fill();
    else {
      service.fileBytesMax = await largestFile(dataDir);
      service.signal('SIGKILL');
    }
    await delay(lastsMs);
    if (disk) await disk.free();
    else {
      service.fileBytesMax = undefined;
      service.signal('SIGKILL');
    }
    return `${service.plan.name}${disk ? '' : ', by a limit on its files'}`;
  },
  'link-cut': (world, strike) => disturb(world, strike, 'cut'),
  'link-silent': (world, strike) => disturb(world, strike, 'silent'),
  'link-slow': (world, strike) => disturb(world, strike, 20 + Math.round(strike.place * 300)),
  rebalance: async ({ cluster }, { victim, lastsMs }) => {
    const intruder = await intrude(cluster.direct, isOfAService, victim);
    if (!intruder) return undefined;
    await delay(lastsMs);
    await intruder.leave();
    return intruder.group;
  },
  'records-deleted': async ({ cluster }, { victim, place }) => {
    const topic = pick(TOPICS, victim);
    const lane = Math.floor(place * 12);
    const deleting = deleteRecords(cluster.direct, topic, [lane]);
    const count = await deleting.catch(() => undefined); // its leader was struck
    return count === undefined ? count : `${String(count)} of ${topic}/${String(lane)}`;
  },
  'reader-kill': async ({ subscribers }, { victim }) => {
    const reader = pick(subscribers, victim);
    reader.kill();
    return reader.name;
  },
};

/** Names of groups begin with the service that reads. */
export function isOfAService(group: string): boolean {
  return /^(?:node|consent|revocation)-/.test(group);
}

/** One member's link to one broker, or to all of them. */
async function disturb(
  { cluster }: World,
  { victim, place, lastsMs }: Strike,
  state: 'cut' | 'silent' | number,
): Promise<string> {
  const member = pick(MEMBERS, victim);
  const links = cluster.linksOf(member);
  const isAll = place < 0.4;
  const chosen = isAll ? links : [pick(links, place)];
  for (const link of chosen) link.set(state);
  await delay(lastsMs);
  for (const link of chosen) link.set('open');
  return `${member} to ${isAll ? 'all brokers' : 'one broker'}`;
}

/** The least limit under which it can start, and then not write much. */
export async function largestFile(dir: string): Promise<number> {
  const sizes = await Promise.all(
    (await readdir(dir)).map(async (name) => (await stat(join(dir, name))).size),
  );
  return Math.max(...sizes);
}

export function act(world: World, strike: Strike): Promise<string | undefined> {
  return ACTS[strike.kind](world, strike);
}
