import { performance } from 'node:perf_hooks';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { purgeTopic, receiptsTopic } from '@concordat/common/domain/topics.js';
import { DE, FR, NodeWorld, RECIPIENTS, UN } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import { TestPurgeLedger } from '../support/purge-ledger.js';
import { until } from '../support/until.js';

/** Of one order each, and of so many events. */
const ENTRIES = 400;
const IDS = 25;
const EVENTS = 500;
const MESSAGE = 250;
const ROUNDS = 3;
const SLOWER_MAX = 2;

let world: NodeWorld;
beforeEach(() => {
  world = new NodeWorld(undefined, RECIPIENTS, [FR]);
});
afterEach(() => world.dispose());

let published = 0;
/** From the first event handed in until the recipient reads all of them. */
async function exchangeMs(): Promise<number> {
  const startMs = performance.now();
  for (let sent = 0; sent < EVENTS; sent += MESSAGE) {
    const events = Array.from({ length: MESSAGE }, (_, n) => world.request(published + n));
    await world.node(UN).national.publishStream([{ events }], { timeoutMs: 1 });
    published += MESSAGE;
  }
  await world.readable(DE, published);
  return performance.now() - startMs;
}

test('L5: a flood of purges from one origin slows the events of another at most twofold', async () => {
  const flood = { origin: FR, recipient: DE };
  const purges = new TestPurgeLedger(world.members, FR, () => undefined);
  let next = 0;
  const entries = Array.from({ length: ENTRIES * ROUNDS }, () => {
    const ids = Array.from({ length: IDS }, () => eventId(1_000_000 + next++));
    return purges.next(DE, ids);
  });
  await world.start(UN, DE);
  await exchangeMs(); // nothing is compiled yet

  const answered = () => world.records(receiptsTopic(flood)).length;
  const [quiet, flooded]: [number[], number[]] = [[], []];
  for (let round = 1; round <= ROUNDS; round += 1) {
    quiet.push(await exchangeMs());
    const before = answered();
    const some = entries.slice((round - 1) * ENTRIES, round * ENTRIES);
    world.log.append(
      purgeTopic(flood),
      0,
      some.map((value) => ({ value })),
    );
    flooded.push(await exchangeMs());
    expect(answered() - before).toBeLessThan(ENTRIES); // it was there all the time
    await until('the flood is answered', () => answered() === round * ENTRIES, 60_000);
  }
  const median = (all: readonly number[]): number =>
    [...all].sort((a, b) => a - b)[ROUNDS >> 1] ?? 0;
  expect(median(flooded)).toBeLessThan(SLOWER_MAX * median(quiet));
});
