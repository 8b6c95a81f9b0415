import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { EventId } from '@concordat/common/domain/ids.js';
import { copyStore, lose, putBack } from '../support/losses.js';
import { DE, NodeWorld, UN, receiptOf, refusalOf } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import { until } from '../support/until.js';

let world: NodeWorld;
beforeEach(async () => {
  world = new NodeWorld();
  await world.start(UN, DE);
  for (const n of [1, 2]) await world.publish(n);
  await world.readable(DE, 2);
});
afterEach(() => world.dispose());

const soon = { timeoutMs: 1 };
const [A, B] = [eventId(1), eventId(2)];
const DAY_MS = 86_400_000;
const operator = () => world.node(DE).operator;
const tomorrow = () => world.clock.nowMs() + DAY_MS;
const place = (id: EventId, reviewAtMs = tomorrow()) =>
  operator().placeHold(
    { origin: UN, eventId: id, ground: 'file 12', authority: 'court of B', reviewAtMs },
    soon,
  );
const release = (id: EventId) => operator().releaseHold({ origin: UN, eventId: id }, soon);
const shown = async (id: EventId) =>
  (await operator().show({ origin: UN, eventId: id }, soon)).state;
const said = (bytes: Uint8Array = new Uint8Array()) => receiptOf(world, bytes).value;
const stages = () => world.records('receipts.de.un').map(({ value }) => said(value).stage);

describe('an event under legal hold', () => {
  test('is read as before until it is purged, then by nobody, and stays until it is released', async () => {
    const { reviewAtMs } = await place(A);
    expect(await world.read(DE, A)).toBeDefined();
    world.purges.purge(DE, A, B);
    const [open] = await world.receipts(DE, 1);
    expect(said(open)).toMatchObject({
      stage: 'OPEN',
      outcomes: [
        { id: A, outcome: 'HELD' },
        { id: B, outcome: 'DELETED' },
      ],
      holds: [{ id: A, ground: 'file 12', authority: 'court of B', reviewAtMs }],
    });
    expect(await refusalOf(world.open(DE, A))).toMatchObject({ code: 'PURGED' });
    expect([await shown(A), await shown(B)]).toEqual(['HELD', 'PURGED']);
    const kept = await world.inventory(DE);
    expect(kept).toMatchObject({ ciphertexts: [`un/${A}`], keys: [`un/${A}`] });
    expect(await refusalOf(world.open(DE, A))).toMatchObject({ code: 'PURGED' });
    expect(stages()).toEqual(['OPEN']);
    expect(await release(A)).toMatchObject({ eventId: A, purged: true });
    const [, final] = await world.receipts(DE, 2);
    expect(said(final)).toMatchObject({
      ...{ stage: 'DELETED', holds: [], opened: receiptOf(world, open ?? new Uint8Array()).hash },
      outcomes: [A, B].map((id) => ({ id, outcome: 'DELETED' })),
    });
    expect(await shown(A)).toBe('PURGED');
    expect(await world.inventory(DE)).toMatchObject({ ciphertexts: [], keys: [] });
    expect(stages()).toEqual(['OPEN', 'DELETED']);
  });

  test('outlives its retention, unread, and the sweep of what is over goes on', async () => {
    await place(A, world.clock.nowMs() + 400 * DAY_MS);
    world.ahead.wallMs += 31 * DAY_MS;
    world.ahead.monotonicMs += 31 * DAY_MS;
    await until('both have ended', async () => (await world.partner(DE)).tombstones === 2);
    await until(
      'the one is gone',
      async () => (await world.status(DE)).counters['retention.ended'] === 2,
    );
    expect(await shown(A)).toBe('HELD');
    expect(await shown(B)).toBe('ENDED');
    await world.restart(DE);
    expect((await world.status(DE)).counters['retention.ended']).toBe(2);
    expect(await world.inventory(DE)).toMatchObject({ ciphertexts: [`un/${A}`] });
    await release(A);
    expect(await shown(A)).toBe('ENDED');
    expect(await world.inventory(DE)).toMatchObject({ ciphertexts: [], keys: [] });
  });

  test('keeps a section that is taken back, unread, until it is released', async () => {
    await place(A);
    const entry = world.purges.next(DE, [A], { sections: ['remarks'], recipientsAll: true });
    world.log.append('purge.un.de', 0, [{ value: entry }]);
    await world.receipts(DE, 1);
    expect(stages()).toEqual(['OPEN']);
    const sections = async () => (await world.open(DE, A)).sections.map(({ name }) => name);
    expect(await sections()).not.toContain('remarks');
    const before = await operator().stateDigest({}, soon);
    await release(A);
    await world.receipts(DE, 2);
    expect(stages()).toEqual(['OPEN', 'DELETED']);
    expect(await sections()).not.toContain('remarks');
    const after = await operator().stateDigest({}, soon);
    expect(Buffer.from(after.holdings).equals(before.holdings)).toBe(false);
  });

  test('that is released before it is purged is deleted by the purge like any other', async () => {
    await place(A);
    expect(await release(A)).toMatchObject({ purged: false });
    expect(await world.read(DE, A)).toBeDefined();
    world.purges.purge(DE, A);
    await world.receipts(DE, 1);
    expect(stages()).toEqual(['DELETED']);
  });

  test('is listed with its review, which status names once it is overdue', async () => {
    const { reviewAtMs } = await place(A);
    await place(B, reviewAtMs + DAY_MS);
    expect(await world.status(DE)).toMatchObject({ holds: 2, reviewsOverdue: 0 });
    world.ahead.wallMs += DAY_MS + 60_000;
    expect(await world.status(DE)).toMatchObject({ holds: 2, reviewsOverdue: 1 });
    const { holds } = await operator().listHolds({}, soon);
    expect(holds).toMatchObject([
      { eventId: A, reviewOverdue: true, purged: false },
      { eventId: B, reviewOverdue: false },
    ]);
    const later = await place(A, reviewAtMs + 9 * DAY_MS);
    expect(later.placedAtMs).toBe(holds[0]?.placedAtMs);
    expect(await world.status(DE)).toMatchObject({ holds: 2, reviewsOverdue: 0 });
  });

  test.each<[string, 'before' | 'after']>([
    ['before', 'before'],
    ['after', 'after'],
  ])('stays when the state is lost %s the purge', async (_name, when) => {
    await place(A);
    const purge = async () => {
      world.purges.purge(DE, A);
      await world.receipts(DE, 1);
    };
    if (when === 'after') await purge();
    const { dataDir } = world.node(DE);
    await world.stopNode(DE);
    lose(dataDir, 'state');
    await world.startNode(DE);
    await until('it is fresh', async () => (await world.partner(DE)).freshness === 'FRESH');
    if (when === 'before') await purge();
    expect(await refusalOf(world.open(DE, A))).toMatchObject({ code: 'PURGED' });
    expect(stages()).toEqual(['OPEN']);
    expect((await world.inventory(DE)).held).toEqual([`un/${A}`]);
    await release(A);
    await world.receipts(DE, 2);
    expect(stages()).toEqual(['OPEN', 'DELETED']);
  });

  test('that was released does not come back with an older copy of the data store', async () => {
    await place(A);
    world.purges.purge(DE, A);
    await world.receipts(DE, 1);
    const { dataDir } = world.node(DE);
    await world.stopNode(DE);
    const copy = `${world.dir}/copy`;
    copyStore(dataDir, 'data', copy);
    await world.startNode(DE);
    await release(A);
    await world.receipts(DE, 2);
    await world.stopNode(DE);
    putBack(dataDir, 'data', copy);
    await world.startNode(DE);
    expect(await world.status(DE)).toMatchObject({ holds: 0 });
    expect(await world.inventory(DE)).toMatchObject({ rows: [`un/${B}`], keys: [`un/${B}`] });
    expect(stages()).toEqual(['OPEN', 'DELETED']);
  });

  test.each<[string, () => Promise<unknown>, string]>([
    [
      'of an own event',
      () =>
        world
          .node(UN)
          .operator.placeHold(
            { origin: UN, eventId: A, ground: 'g', authority: 'a', reviewAtMs: tomorrow() },
            soon,
          ),
      'REQUEST_INVALID',
    ],
    ['of an event that is not here', () => place(eventId(9)), 'EVENT_UNKNOWN'],
    ['whose review is over', () => place(A, 1), 'REQUEST_INVALID'],
    [
      'without a ground',
      () =>
        operator().placeHold(
          { origin: UN, eventId: A, ground: ' ', authority: 'a', reviewAtMs: tomorrow() },
          soon,
        ),
      'REQUEST_INVALID',
    ],
    [
      'of what is purged',
      async () => {
        world.purges.purge(DE, A);
        await world.receipts(DE, 1);
        return place(A);
      },
      'PURGED',
    ],
  ])('%s is refused', async (_name, call, code) => {
    await expect(call()).rejects.toMatchObject({ code });
    expect(await world.status(DE)).toMatchObject({ holds: 0 });
  });

  test('cannot be released when there is none', async () => {
    await expect(release(A)).rejects.toMatchObject({ code: 'HOLD_UNKNOWN' });
  });
});
