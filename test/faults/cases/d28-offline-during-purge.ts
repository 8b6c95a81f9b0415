import { probe } from '../load/prober.js';
import { RECIPIENTS } from '../stage/federation.js';
import type { World } from '../world.js';
import { MINUTE_MS, demand, heldBy, until } from './case.js';

const EVENTS = 5;
const DEADLINE_MS = 2_000;

/** A node is away during a purge: it is named, reads nothing of it when it is back, and answers within a minute. */
export async function offlineDuringPurge(world: World): Promise<void> {
  const { stage, officer, book } = world;
  const [, holder] = RECIPIENTS;
  const node = stage.service(holder, 'node');
  const events = await heldBy(world, holder, EVENTS);
  await node.down();
  const orderId = await officer.takeBack(events, DEADLINE_MS);
  await until('the order is overdue, and who is silent is named', async () => {
    const { overdue, holders } = await officer.status(orderId);
    return (
      overdue && holders.some(({ member, state }) => member === holder && state === 'DEFAULTED')
    );
  });
  for (const event of events) officer.mayNotRead(event, holder);
  const readingsBefore = book.readings.length;
  node.up();
  const startMs = performance.now();
  await until(
    'its receipt is verified',
    async () => {
      await probe(world, holder, events);
      const { holders } = await officer.status(orderId);
      return holders.some(({ member, state }) => member === holder && state === 'DELETED');
    },
    MINUTE_MS,
  );
  world.tell(`  answered ${((performance.now() - startMs) / 1_000).toFixed(1)} s after its start`);
  const content = book.readings.slice(readingsBefore).filter(({ answer }) => answer === 'content');
  demand('no reading of what is purged', content.length === 0);
  await until(
    'the order is closed',
    async () => (await officer.status(orderId)).state === 'CLOSED',
  );
}
