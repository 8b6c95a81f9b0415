import { dirname, join } from 'node:path';
import { maintainNode } from '@concordat/cli/io/maintain-node.js';
import { probe } from '../load/prober.js';
import { RECIPIENTS } from '../stage/federation.js';
import type { World } from '../world.js';
import { demand, heldBy, until } from './case.js';

const EVENTS = 5;

/** A backup from before a purge is restored: it brings nothing of it back, and says how much it left out. */
export async function oldBackup(world: World): Promise<void> {
  const { stage, officer, book } = world;
  const [, holder] = RECIPIENTS;
  const node = stage.service(holder, 'node');
  const { env, logFile } = node.plan;
  const file = join(dirname(logFile), 'backup');
  const events = await heldBy(world, holder, EVENTS);
  await maintainNode('backup', file, env);
  const orderId = await officer.takeBack(events);
  await until(
    'the order is closed',
    async () => (await officer.status(orderId)).state === 'CLOSED',
  );
  await officer.look();
  await node.down();
  const { filtered } = await maintainNode('restore', file, env);
  node.up();
  const purged = (filtered as Readonly<Record<string, number>> | undefined)?.['PURGED'] ?? 0;
  demand(
    `at least ${String(EVENTS)} left out because they are purged, came ${String(purged)}`,
    purged >= EVENTS,
  );
  const before = book.readings.length;
  await until('the node answers', async () => {
    await probe(world, holder, events);
    return book.readings.slice(before).some(({ answer }) => answer === 'PURGED');
  });
  const content = book.readings.slice(before).filter(({ answer }) => answer === 'content');
  demand('nothing to be readable again', content.length === 0);
}
