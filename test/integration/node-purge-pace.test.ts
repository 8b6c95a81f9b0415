import { performance } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { LogClient } from '@concordat/common/io/log-client.js';
import { DE, NodeWorld, UN, refusalOf } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import '../support/long-timeout.js';
import { until } from '../support/until.js';

/** Purges that a node has missed; L4 names 10,000 (`MISSED_PURGES=10000`). */
const MISSED = Number(process.env['MISSED_PURGES'] ?? 1_000);
const CAUGHT_UP_MS_MAX = 60_000;
const AT_ONCE = 500;
const PURGES = 'purge.un.de';

let world: NodeWorld;
beforeEach(() => {
  world = new NodeWorld();
});
afterEach(() => world.dispose());

async function held(count: number): Promise<void> {
  await world.start(UN, DE);
  for (let from = 0; from < count; from += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - from) }, (_, n) => from + n);
    await Promise.all(some.map((n) => world.publish(n)));
  }
  await until(
    'all are readable',
    async () => (await world.partner(DE)).readable === count,
    60_000 + count * 20,
  );
}

/** A consumer as one of a broker is: one batch at a time, and none while `isHeld` says so. */
function oneAtATime(log: LogClient, isHeld: (topic: string) => Promise<void>): LogClient {
  return {
    ...log,
    read: (options) => {
      let before: Promise<unknown> = Promise.resolve();
      const handle: typeof options.handle = (batch, ...rest) => {
        const mine = before
          .catch(() => undefined)
          .then(() => isHeld(batch[0]?.topic ?? ''))
          .then(() => options.handle(batch, ...rest));
        before = mine;
        return mine;
      };
      return log.read({ ...options, handle });
    },
  };
}

test('a purge is honoured while the feed of its origin stands still', async () => {
  let held1: Promise<void> = Promise.resolve();
  world.aroundLog = (log, member) =>
    member === DE
      ? oneAtATime(log, (topic) => (topic.startsWith('feed.') ? held1 : Promise.resolve()))
      : log;
  await held(4);
  let goOn: () => void = () => undefined;
  held1 = new Promise((resolve) => (goOn = resolve));
  for (let n = 4; n < 8; n += 1) await world.publish(n);
  await until('blocks wait', () => world.log.lanes('feed.un.de').some(({ high }) => high > 2n));
  // an event that is held, and one whose block waits
  world.purges.purge(DE, eventId(0));
  world.purges.purge(DE, eventId(4));
  expect(await world.receipts(DE, 2)).toHaveLength(2);
  expect(await refusalOf(world.open(DE, eventId(0)))).toMatchObject({ code: 'PURGED' });
  expect(await world.partner(DE)).toMatchObject({ readable: 3 });
  goOn();
  await world.readable(DE, 6);
  expect(await refusalOf(world.open(DE, eventId(4)))).toMatchObject({ code: 'PURGED' });
});

describe('L4: a node that has missed many purges', () => {
  test.each([
    ['on its topic', true],
    ['which its topic has lost', false],
  ])('%s is caught up within a minute, and serves nothing before', async (name, isOnTopic) => {
    await held(MISSED + 1);
    await world.stopNode(DE);
    world.purges.pageSize = 2_000;
    for (let n = 0; n < MISSED; n += 1) {
      if (isOnTopic) world.purges.purge(DE, eventId(n));
      else world.purges.next(DE, [eventId(n)]);
    }
    expect(world.log.lane(PURGES, 0).records).toHaveLength(isOnTopic ? MISSED : 0);

    const startMs = performance.now();
    await world.startNode(DE);
    const kept = eventId(MISSED);
    await until(
      'it serves again',
      async () => {
        const read = await world.open(DE, kept).catch(async (cause: unknown) => {
          expect(await refusalOf(Promise.reject(cause as Error))).toMatchObject({
            code: expect.stringMatching(/^(BEHIND|NOT_FRESH)$/),
          });
        });
        if (!read) return false;
        expect(await world.partner(DE)).toMatchObject({ purgeApplied: MISSED, tombstones: MISSED });
        return true;
      },
      CAUGHT_UP_MS_MAX,
    );
    await until(
      'all is answered',
      () => world.records('receipts.de.un').length === MISSED,
      CAUGHT_UP_MS_MAX,
    );
    const tookMs = performance.now() - startMs;
    if (process.env['MISSED_PURGES']) {
      process.stdout.write(`${String(MISSED)} missed purges ${name}: ${tookMs.toFixed(0)} ms\n`);
    }
    expect(tookMs).toBeLessThan(CAUGHT_UP_MS_MAX);
    expect(await refusalOf(world.open(DE, eventId(0)))).toMatchObject({ code: 'PURGED' });
    expect(await world.partner(DE)).toMatchObject({ readable: 1, gaps: [] });
  });
});
