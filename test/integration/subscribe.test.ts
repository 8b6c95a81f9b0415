import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { EventId } from '@concordat/common/domain/ids.js';
import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import { DE, FR, NodeWorld, UN, receiptOf } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import { until } from '../support/until.js';

type Notice = concordat.node.v1.Notice;
type SubscribeRequest = concordat.node.v1.SubscribeRequest;

let world: NodeWorld;
beforeEach(async () => {
  world = new NodeWorld();
  await world.start(UN, DE);
});
afterEach(() => world.dispose());

const soon = { timeoutMs: 1 };
const request = (change: Partial<SubscribeRequest> = {}): SubscribeRequest => ({
  ...{ purpose: 'screening', caseId: 'c', category: '', cursor: '', systemId: '' },
  includeHeld: change.cursor === undefined,
  ...change,
});

/** The next `count` notices of a new stream. */
async function take(count: number, change: Partial<SubscribeRequest> = {}): Promise<Notice[]> {
  const taken: Notice[] = [];
  const stop = new AbortController();
  const patience = setTimeout(() => stop.abort(), 20_000);
  const options = { ...soon, signal: stop.signal };
  for await (const notice of world.node(DE).national.subscribe(request(change), options)) {
    taken.push(notice);
    if (taken.length === count) break;
  }
  clearTimeout(patience);
  expect(taken).toHaveLength(count);
  return taken;
}

const told = (notices: readonly Notice[]) =>
  notices.map(({ kind, eventId: id }) => `${kind} ${id}`);
const cursorOf = (notice: Notice | undefined): string => notice?.cursor ?? 'none';
const publish = async (...numbers: number[]): Promise<EventId[]> => {
  for (const n of numbers) await world.publish(n);
  return numbers.map((n) => eventId(n));
};

describe('a subscription', () => {
  test('goes on after any of its notices, with all that follow and none twice', async () => {
    await publish(1, 2, 3, 4, 5);
    const all = await take(5);
    for (let at = 0; at < 4; at += 1) {
      expect(await take(4 - at, { cursor: cursorOf(all[at]) })).toEqual(all.slice(at + 1));
    }
    await publish(6);
    expect(told(await take(1, { cursor: cursorOf(all.at(-1)) }))).toEqual([
      `READABLE ${eventId(6)}`,
    ]);
  });

  test('goes on at a node that was started again', async () => {
    await publish(1, 2);
    const [first, second] = await take(2);
    await world.restart(DE);
    expect(await take(1, { cursor: cursorOf(first) })).toEqual([second]);
  });

  test('tells the withdrawal in the place of what can no longer be read, and keeps nothing else', async () => {
    const [one, two, three] = await publish(1, 2, 3);
    const before = await take(3);
    world.purges.purge(DE, eventId(2));
    await world.receipts(DE, 1);
    expect(told(await take(1, { cursor: cursorOf(before.at(-1)) }))).toEqual([`WITHDRAWN ${two}`]);
    expect(told(await take(3))).toEqual(
      expect.arrayContaining([`READABLE ${one}`, `READABLE ${three}`, `WITHDRAWN ${two}`]),
    );
  });

  test('without a cursor and without what is held begins now', async () => {
    await publish(1);
    await take(1);
    const later = take(1, { includeHeld: false });
    await publish(2);
    expect(told(await later)).toEqual([`READABLE ${eventId(2)}`]);
  });

  test('does not wait for another one that does not read', async () => {
    const idle = world.node(DE).national.subscribe(request(), soon)[Symbol.asyncIterator]();
    await publish(1);
    await idle.next();
    const numbers = Array.from({ length: 300 }, (_, n) => n + 2);
    await world
      .node(UN)
      .national.publishStream(
        [
          { events: numbers.slice(0, 150).map((n) => world.request(n)) },
          { events: numbers.slice(150).map((n) => world.request(n)) },
        ],
        soon,
      );
    await take(301);
    for (let n = 0; n < 300; n += 1) expect((await idle.next()).value).toBeDefined();
    await idle.return?.();
  });

  test.each([
    ['damaged', () => 'AAAA'],
    [
      'of another node',
      async () => {
        await world.startNode(FR);
        await until('fr has it', async () => (await world.partner(FR)).readable === 1);
        const stream = world.node(FR).national.subscribe(request(), soon);
        for await (const notice of stream) return notice.cursor;
        return '';
      },
    ],
  ])('with a cursor that is %s is refused', async (_name, cursor) => {
    await publish(1);
    const stream = world.node(DE).national.subscribe(request({ cursor: await cursor() }), soon);
    const reading = (async () => {
      for await (const notice of stream) expect(notice).toBeUndefined();
    })();
    await expect(reading).rejects.toMatchObject({ code: 'CURSOR_INVALID' });
  });
});

describe('a copy system', () => {
  const national = () => world.node(DE).national;
  const acknowledge = (systemId: string, ids: readonly EventId[], cursor = '') => {
    const withdrawn = ids.map((id) => ({ origin: UN, eventId: id }));
    return national().acknowledge({ systemId, cursor, withdrawn }, soon);
  };
  const register = (systemId: string, kind: string) =>
    national().registerSystem({ systemId, kind }, soon);
  const said = (bytes: Uint8Array = new Uint8Array()) => receiptOf(world, bytes).value;
  const hashOf = (bytes: Uint8Array = new Uint8Array()) => receiptOf(world, bytes).hash;
  const buried = (id: EventId) =>
    until('it is buried', async () => {
      const { state } = await world.node(DE).operator.show({ origin: UN, eventId: id }, soon);
      return state === 'PURGED';
    });

  test('holds the final receipt back until it has acknowledged each withdrawal, also over a restart', async () => {
    await register('border-db', 'copy');
    await register('desk', 'view');
    const ids = await publish(1, 2);
    await world.readable(DE, 2);
    world.purges.purge(DE, ...ids);
    const [open] = await world.receipts(DE, 1);
    expect(said(open)).toMatchObject({
      ...{ stage: 'OPEN', entryNumber: 1, number: 1, opened: null },
      outcomes: ids.map((id) => ({ id, outcome: 'SYSTEMS_OPEN' })),
    });
    expect(await acknowledge('border-db', ids.slice(0, 1))).toMatchObject({ outstanding: 1 });
    await world.restart(DE);
    const { systems } = await national().listSystems({}, soon);
    expect(systems).toMatchObject([
      { systemId: 'border-db', kind: 'copy', outstanding: 1 },
      { systemId: 'desk', kind: 'view', outstanding: 0 },
    ]);
    expect(await world.receipts(DE, 1)).toEqual([open]);
    expect(await world.status(DE)).toMatchObject({ receipts: 0, openReceipts: 1 });
    expect(await acknowledge('border-db', ids)).toMatchObject({ outstanding: 0 });
    const [, final] = await world.receipts(DE, 2);
    expect(said(final)).toMatchObject({
      ...{ stage: 'DELETED', entryNumber: 1, number: 2, opened: hashOf(open) },
      outcomes: ids.map((id) => ({ id, outcome: 'DELETED' })),
    });
    await acknowledge('border-db', ids);
    await world.restart(DE);
    expect(await world.receipts(DE, 2)).toEqual([open, final]);
    expect(await world.status(DE)).toMatchObject({ receipts: 1, openReceipts: 0 });
  });

  test('holds back no final receipt for other events', async () => {
    await register('border-db', 'copy');
    const [one] = await publish(1, 2);
    await world.readable(DE, 2);
    world.purges.purge(DE, eventId(1));
    world.purges.purge(DE, eventId(77)); // never seen here
    world.purges.purge(DE, eventId(1), eventId(77));
    const before = await world.receipts(DE, 3);
    expect(before.map((bytes) => said(bytes).stage)).toEqual(['OPEN', 'NOT_HELD', 'OPEN']);
    expect(said(before[2]).outcomes.map(({ outcome }) => outcome)).toEqual([
      'SYSTEMS_OPEN',
      'NOT_HELD',
    ]);
    if (one) await acknowledge('border-db', [one]);
    const after = (await world.receipts(DE, 5)).slice(3);
    expect(after.map((bytes) => said(bytes).entryNumber)).toEqual([1, 3]);
    expect(said(after[1]).outcomes.map(({ outcome }) => outcome)).toEqual(['DELETED', 'NOT_HELD']);
    expect(said(after[1]).opened).toEqual(hashOf(before[2]));
  });

  test('is told of every withdrawal, whatever it listens to, and goes on after what it acknowledged', async () => {
    await register('border-db', 'copy');
    await publish(1, 2);
    const [, second] = await take(2);
    expect(await acknowledge('border-db', [], cursorOf(second))).toMatchObject({
      cursor: cursorOf(second),
    });
    world.purges.purge(DE, eventId(1));
    const change = { category: 'nothing.of.this', systemId: 'border-db', includeHeld: true };
    expect(told(await take(1, change))).toEqual([`WITHDRAWN ${eventId(1)}`]);
  });

  test('stays one while it owes an answer', async () => {
    await register('border-db', 'copy');
    const ids = await publish(1);
    await world.readable(DE, 1);
    world.purges.purge(DE, eventId(1));
    await buried(eventId(1));
    await expect(register('border-db', 'view')).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      details: { fields: [{ field: 'kind' }] },
    });
    await acknowledge('border-db', ids);
    expect(await register('border-db', 'view')).toMatchObject({ kind: 'view' });
  });

  test.each([
    ['a system that is not registered', () => acknowledge('nobody', []), 'SYSTEM_UNKNOWN'],
    ['an id of another shape', () => register('Border DB', 'copy'), 'REQUEST_INVALID'],
    ['another kind', () => register('border-db', 'mirror'), 'REQUEST_INVALID'],
    [
      'an event that was never withdrawn',
      async () => {
        await register('border-db', 'copy');
        return acknowledge('border-db', [eventId(1)]);
      },
      'EVENT_UNKNOWN',
    ],
  ])('%s is refused', async (_name, call, code) => {
    await expect(call()).rejects.toMatchObject({ code });
  });
});
