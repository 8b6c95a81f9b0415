import { setTimeout as delay } from 'node:timers/promises';
import { RECIPIENTS } from '../stage/federation.js';
import type { World } from '../world.js';
import { areTold, publishSome, until } from './case.js';

const EVENTS = 1_000;
const STREAMS = 5;
const KILL_AFTER_MS = 300;
const AWAY_MS = 2_000;

/** A broker is killed with 1,000 events in flight: each that was acknowledged is there within a minute. */
export async function brokerKilledInFlight(world: World): Promise<void> {
  const [broker] = world.cluster.brokers;
  const publishing = Promise.all(
    Array.from({ length: STREAMS }, (_, nth) =>
      publishSome(world, `burst-${String(nth)}`, EVENTS / STREAMS),
    ),
  );
  await delay(KILL_AFTER_MS);
  await broker?.end('SIGKILL');
  await delay(AWAY_MS);
  await broker?.start();
  const events = (await publishing).flat();
  await until('every event of the burst is told of', () =>
    RECIPIENTS.every((member) => areTold(world, member, events)),
  );
}
