import { setTimeout as delay } from 'node:timers/promises';
import { makeRequests } from '#bench/events.js';
import { asConcordatError } from '@concordat/common/domain/errors.js';
import { probe } from '../load/prober.js';
import { ORIGIN, RECIPIENTS } from '../stage/federation.js';
import { largestFile } from '../strikes/strike.js';
import { type World, nationalOf } from '../world.js';
import { areTold, demand, heldBy, publishSome, until } from './case.js';

const EVENTS = 5;
const CALL_MS_MAX = 10_000;
const KILL_AFTER_MS = 60;

/** The disk of the origin is full: it refuses to publish. With room it goes on. Then all are killed in the middle of a purge. */
export async function diskFullAndKilledInAPurge(world: World): Promise<void> {
  await diskFull(world);
  await killedInAPurge(world);
}

async function diskFull(world: World): Promise<void> {
  const { stage, disks, book } = world;
  const node = stage.service(ORIGIN, 'node');
  const disk = disks.get(node.plan.name);
  if (disk) await disk.fill();
  else {
    node.fileBytesMax = await largestFile(stage.dataDir(ORIGIN, 'node'));
    node.signal('SIGKILL');
  }
  const [recipient] = RECIPIENTS;
  let [refused, taken] = [0, 0];
  try {
    await until('publishing is refused', async () => {
      const [request] = makeRequests(1);
      if (!request) return false;
      const call = { timeoutMs: CALL_MS_MAX };
      const outcome = await nationalOf(world, ORIGIN)
        .publish(request, call)
        .then(
          ({ lane, epoch, blockNumber, leaf, repeated }) => {
            const place = { lane: `${String(lane)}/${String(epoch)}`, block: blockNumber, leaf };
            book.send('full', request.eventId, 'ok', { place, repeated });
            taken += 1;
            return 'taken';
          },
          (cause: unknown) => {
            book.send('full', request.eventId, 'unknown');
            refused += 1;
            return asConcordatError(cause).code;
          },
        );
      world.tell(`  publishing on a full disk: ${outcome}`);
      return refused > 0;
    });
    const events = await heldBy(world, recipient, EVENTS);
    demand(
      'readings elsewhere to go on',
      (await probe(world, recipient, events)) === events.length,
    );
  } finally {
    if (disk) await disk.free();
    else {
      node.fileBytesMax = undefined;
      node.signal('SIGKILL');
    }
  }
  const later = await publishSome(world, 'room-again', 100);
  await until('with room it goes on', () => areTold(world, recipient, later));
  world.tell(`  ${String(taken)} taken and ${String(refused)} refused while it was full`);
}

async function killedInAPurge(world: World): Promise<void> {
  const { stage, officer } = world;
  const [holder] = RECIPIENTS;
  const orderId = await officer.takeBack(await heldBy(world, holder, EVENTS));
  await delay(KILL_AFTER_MS);
  for (const service of stage.services.values()) service.signal('SIGKILL');
  await until(
    'the order is closed',
    async () => (await officer.status(orderId)).state === 'CLOSED',
  );
}
