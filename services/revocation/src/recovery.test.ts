import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { EMPTY_HEAD } from '@concordat/common/domain/chain.js';
import type { Signer } from '@concordat/common/domain/statement.js';
import { orderId, signAs } from '../../../test/support/ledger.js';
import { eventId } from '../../../test/support/origin.js';
import { DE, FR, RevocationWorld, UN, codeOf } from '../../../test/support/revocation.js';
import '../../../test/support/long-timeout.js';
import { until } from '../../../test/support/until.js';

const [A, B] = [eventId(1), eventId(2)];
const ORDER = orderId(1);

const worlds: RevocationWorld[] = [];
function newWorld(): RevocationWorld {
  const world = new RevocationWorld();
  worlds.push(world);
  world.ledger.publish({ id: A }, { id: B });
  world.ledger.release(DE, A, B);
  world.ledger.release(FR, A);
  return world;
}
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.dispose();
});

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const never = (): Promise<never> => new Promise(() => undefined);

/** Everything that left the service on the way of one order. */
async function traces(world: RevocationWorld): Promise<object> {
  return {
    de: world.entriesFor(DE).map(hex),
    fr: world.entriesFor(FR).map(hex),
    certificate: await world.certificate(ORDER),
  };
}

async function finish(world: RevocationWorld): Promise<void> {
  await until('entries are sent', () =>
    [DE, FR].every((member) => world.entriesFor(member).length === 1),
  );
  world.answer(DE);
  world.answer(FR);
  await world.reaches(ORDER, 'CLOSED');
}

async function undisturbed(): Promise<object> {
  const world = newWorld();
  await world.start();
  await world.published(2);
  await world.order({ orderId: ORDER, ids: [A, B] });
  await finish(world);
  return traces(world);
}

/** Signs until told otherwise; then it is as if the process had ended there. */
function breaking(signer: Signer): { readonly signer: Signer; break(): void } {
  let isBroken = false;
  return {
    break: () => {
      isBroken = true;
    },
    signer: {
      keyId: signer.keyId,
      sign: (message) => {
        if (isBroken) throw new Error('the process ends here');
        return signer.sign(message);
      },
    },
  };
}

type Crash = (world: RevocationWorld) => Promise<void>;

describe('an order resumes, with the same bytes, after a crash', () => {
  let expected: object;
  beforeAll(async () => {
    expected = await undisturbed();
  });

  test.each<[name: string, crash: Crash]>([
    [
      'before the node was reached',
      async (world) => {
        await world.start({ node: { destroyKeys: never } });
        await world.published(2);
        await world.order({ orderId: ORDER, ids: [A, B] });
        expect((await world.status(ORDER)).state).toBe('ORDERED');
      },
    ],
    [
      'after the node sealed and before its answer was kept',
      async (world) => {
        let isSealed = false;
        const destroyKeys = async (order: Uint8Array): Promise<never> => {
          world.ledger.seal(order);
          isSealed = true;
          return never();
        };
        await world.start({ node: { destroyKeys } });
        await world.published(2);
        await world.order({ orderId: ORDER, ids: [A, B] });
        await until('the node has sealed', () => isSealed);
        expect((await world.status(ORDER)).state).toBe('ORDERED');
      },
    ],
    [
      'between the seal and the entries',
      async (world) => {
        const { signer, ...key } = breaking(world.federation.signer(UN, 'revocation'));
        await world.start({ signer });
        await world.published(2);
        await world.order({ orderId: ORDER, ids: [A, B] });
        key.break();
        await until('the service dies', () => world.deaths.length === 1);
        expect((await world.status(ORDER)).state).toBe('SEALED');
        world.deaths.length = 0;
      },
    ],
    [
      'between the commit of the entries and their sending',
      async (world) => {
        await world.start();
        await world.published(2);
        const held: Uint8Array[] = [];
        world.held = held;
        world.log.setReachable(false);
        await world.order({ orderId: ORDER, ids: [A, B] });
        await world.reaches(ORDER, 'APPENDED');
        expect((await world.list()).counters).toMatchObject({ outbox: 2 });
        await world.stop();
        world.log.setReachable(true);
        world.toLedger(...held);
        world.held = undefined;
      },
    ],
    [
      'after a send whose outcome stayed unknown',
      async (world) => {
        await world.start();
        await world.published(2);
        world.held = [];
        world.log.failSends('unknown-but-there', 'unknown-but-there');
        await world.order({ orderId: ORDER, ids: [A, B] });
        await world.reaches(ORDER, 'APPENDED');
        await world.stop();
        world.toLedger(...world.held);
      },
    ],
    [
      'between two receipts',
      async (world) => {
        await world.start();
        await world.published(2);
        await world.order({ orderId: ORDER, ids: [A, B] });
        await until('an entry is sent', () => world.entriesFor(DE).length === 1);
        world.answer(DE);
        await until('de has answered', async () => {
          const { holders } = await world.status(ORDER);
          return holders[0]?.state === 'DELETED';
        });
      },
    ],
    [
      'between the last receipt and the certificate',
      async (world) => {
        const { signer, ...key } = breaking(world.federation.signer(UN, 'revocation'));
        await world.start({ signer });
        await world.published(2);
        await world.order({ orderId: ORDER, ids: [A, B] });
        await until('entries are sent', () =>
          [DE, FR].every((member) => world.entriesFor(member).length === 1),
        );
        key.break();
        world.answer(DE);
        world.answer(FR);
        await until('the service dies', () => world.deaths.length === 1);
        expect((await world.status(ORDER)).state).toBe('APPENDED');
        world.deaths.length = 0;
      },
    ],
    [
      'after it was closed',
      async (world) => {
        await world.start();
        await world.published(2);
        await world.order({ orderId: ORDER, ids: [A, B] });
        await finish(world);
      },
    ],
  ])('%s', async (_name, crash) => {
    const world = newWorld();
    await crash(world);
    await world.stop();
    await world.start();
    await finish(world);
    expect(await traces(world)).toEqual(expected);
  });
});

describe('many orders at once', () => {
  test('close one by one, however their answers race and repeat', async () => {
    const ids = Array.from({ length: 30 }, (_, index) => eventId(100 + index));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(DE, FR), { minLength: 4, maxLength: 20 }),
        fc.integer({ min: 1, max: 30 }),
        async (answering, size) => {
          const world = newWorld();
          for (const id of ids) world.ledger.publish({ id });
          world.ledger.release(DE, ...ids);
          world.ledger.release(FR, ...ids.slice(0, 10));
          await world.start();
          await world.published(32);
          const orders = ids.slice(0, size).map((id, index) => {
            return world.order({ orderId: orderId(100 + index), ids: [id] });
          });
          const taken = await Promise.all(orders);
          for (const member of answering) {
            world.answer(member); // again and again, whatever is there by now
            await new Promise(setImmediate);
          }
          await until('all are closed', async () => {
            world.answer(DE);
            world.answer(FR);
            const { counters } = await world.list();
            return counters['orders.closed'] === size;
          });
          for (const { orderId: id } of taken) world.verify(await world.certificate(id));
          const { counters } = await world.list();
          const refused = Object.keys(counters).filter((name) => name.startsWith('quarantined'));
          expect(refused).toEqual([]);
          await world.dispose();
        },
      ),
      { numRuns: 3 },
    );
  });

  test('are sealed at most two hundred and fifty-six at a time', async () => {
    const world = newWorld();
    const ids = Array.from({ length: 270 }, (_, index) => eventId(100 + index));
    // in blocks of ten: a block for each event costs more than everything else here
    for (let at = 0; at < ids.length; at += 10) {
      world.ledger.publish(...ids.slice(at, at + 10).map((id) => ({ id })));
    }
    let [now, most] = [0, 0];
    let answer = (): void => undefined;
    const asked = new Promise<void>((resolve) => (answer = resolve));
    await world.start({
      node: {
        destroyKeys: async (order, signal) => {
          now += 1;
          most = Math.max(most, now);
          await asked;
          now -= 1;
          return world.seal(order, signal);
        },
      },
    });
    await world.published(272);
    const orders = ids.map((id, index) => ({ orderId: orderId(100 + index), ids: [id] }));
    await Promise.all(orders.map((order) => world.order(order)));
    await until('as many are asked for', () => now >= 256);
    answer();
    await until('all are closed', async () => {
      return (await world.list()).counters['orders.closed'] === 270;
    });
    expect(most).toBe(256);
  });

  test('go on although one after the other fails for the time being', async () => {
    const world = newWorld();
    const ids = Array.from({ length: 20 }, (_, index) => eventId(100 + index));
    world.ledger.publish(...ids.map((id) => ({ id })));
    const failed = new Set<string>();
    await world.start({
      node: {
        destroyKeys: (order, signal) => {
          if (failed.has(hex(order))) return world.seal(order, signal);
          failed.add(hex(order));
          return Promise.reject(new ConcordatError('KEY_UNKNOWN', 'the file is behind'));
        },
      },
    });
    await world.published(22);
    for (const [index, id] of ids.entries()) {
      await world.order({ orderId: orderId(100 + index), ids: [id] });
    }
    await until('all are closed', async () => {
      return (await world.list()).counters['orders.closed'] === 20;
    });
    expect(failed.size).toBe(20);
  });
});

describe('at the start', () => {
  const stray = (world: RevocationWorld, number: number) =>
    signAs(world.federation, { member: UN, role: 'revocation' }, 'PurgeEntry', {
      suite: 'concordat-1',
      federation: 'test',
      origin: UN,
      keyId: '',
      recipient: DE,
      epoch: 1,
      number,
      previous: EMPTY_HEAD.hash,
      timeMs: world.nowMs,
      orderId: orderId(9),
      sealRecordHash: EMPTY_HEAD.hash,
      part: 1,
      parts: 1,
      ids: [A],
      deadlineMs: world.nowMs,
      sections: [],
      recipientsAll: true,
    });

  test('a topic that is ahead of the database is continued, never numbered twice', async () => {
    const world = newWorld();
    const entry = stray(world, 5);
    world.append('purge.un.de', entry.bytes);
    await world.start();
    await world.published(2);
    await world.order({ orderId: ORDER, ids: [A, B] });
    await until('an entry is sent', () => world.entriesFor(DE).length === 2);
    const next = world.holder(DE).readEntry(world.entriesFor(DE)[1] ?? new Uint8Array());
    expect(next.value.number).toBe(6);
    expect(hex(next.value.previous)).toBe(hex(entry.hash));
  });

  test('another entry under a number of ours keeps the service from starting', async () => {
    const world = newWorld();
    await world.start();
    await world.published(2);
    await world.order({ orderId: ORDER, ids: [A, B] });
    await until('an entry is sent', () => world.entriesFor(DE).length === 1);
    await world.stop();
    world.append('purge.un.de', stray(world, 1).bytes);
    expect(await codeOf(world.start())).toBe('EQUIVOCATION');
  });

  test('a second instance on the same directory stays out', async () => {
    const world = newWorld();
    const first = await world.start();
    expect(await codeOf(world.start())).toBe('DATA_DIR_LOCKED');
    await first.close();
  });

  test('a key that nobody lists for revocation is refused', async () => {
    const world = newWorld();
    const signer = world.federation.signer(UN, 'node');
    expect(await codeOf(world.start({ signer }))).toBe('CONFIG_INVALID');
  });

  test('a missing topic is named, and the directory is free again', async () => {
    const world = newWorld();
    world.log.deleteTopic('receipts.fr.un');
    expect(await codeOf(world.start())).toBe('TOPIC_MISSING');
    world.log.createTopic('receipts.fr.un', 1);
    await world.start();
  });
});
