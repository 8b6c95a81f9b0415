import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { EventId } from '@concordat/common/domain/ids.js';
import { verifyStatement } from '@concordat/common/domain/statement.js';
import { DataStore } from '@concordat/node/io/data-store.js';
import { STEADY_MS } from '@concordat/node/domain/retention-time.js';
import { codec } from '../support/federation.js';
import { DE, NodeWorld, UN, refusalOf } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import { until } from '../support/until.js';

const DAY_MS = 86_400_000;
const soon = { timeoutMs: 1 };

let world: NodeWorld;
beforeEach(() => {
  world = new NodeWorld();
  world.purges.nowMs = () => world.clock.nowMs();
});
afterEach(() => world.dispose());

/** Events 1 and 2 at `de`: the first ends after a day, the second after the 30 days of the agreement. */
async function shared(): Promise<{ readonly day: EventId; readonly month: EventId }> {
  await world.start(UN, DE);
  await world.publish(1, { retainUntilMs: Date.now() + DAY_MS });
  await world.publish(2);
  await world.readable(DE, 2);
  return { day: eventId(1), month: eventId(2) };
}

const ended = (count: number) => world.counted(DE, 'retention.ended', count);

function stageOf(bytes: Uint8Array | undefined): string {
  const receipt = verifyStatement(codec, world.members.keys, 'Receipt', bytes ?? new Uint8Array(), {
    signer: DE,
  });
  if (!receipt.ok) throw receipt.error;
  return receipt.value.value.stage;
}

test('a recipient deletes by itself at the shortest term, tells its streams, and nothing is left', async () => {
  const { day, month } = await shared();
  expect((await world.partner(DE)).endingSoon).toBe(1);
  const told: unknown[] = [];
  const stop = new AbortController();
  const request = {
    purpose: 'screening',
    caseId: 'c',
    category: '',
    includeHeld: false,
    cursor: '',
    systemId: '',
  };
  const stream = world.node(DE).national.subscribe(request, { timeoutMs: 1, signal: stop.signal });
  const listening = (async () => {
    for await (const notice of stream) told.push(notice);
  })().catch(() => undefined);

  world.ahead.wallMs = DAY_MS - 60_000;
  await until(
    'the clock was looked at',
    async () => (await world.partner(DE)).freshness === 'FRESH',
  );
  expect(await world.open(DE, day)).toMatchObject({ eventId: day });

  world.ahead.wallMs = DAY_MS + 1;
  await ended(1);
  await until('the stream was told', () => told.length === 1);
  stop.abort();
  await listening;
  expect(told).toMatchObject([
    { kind: 'WITHDRAWN', origin: UN, eventId: day, reason: 'RETENTION' },
  ]);
  expect(await refusalOf(world.open(DE, day))).toMatchObject({
    code: 'PURGED',
    message: expect.stringContaining('retention is over'),
  });
  const shown = await world.node(DE).operator.show({ origin: UN, eventId: day }, soon);
  expect(shown).toMatchObject({ state: 'ENDED', category: '' });
  expect(await world.inventory(DE)).toMatchObject({
    rows: [`${UN}/${month}`],
    ciphertexts: [`${UN}/${month}`],
    keys: [`${UN}/${month}`],
    tombstones: [`${UN}/${day}`],
  });

  world.ahead.wallMs = 30 * DAY_MS + 60_000;
  await ended(2);
  expect(await world.inventory(DE)).toMatchObject({ rows: [], ciphertexts: [], keys: [] });
});

test('what ended is answered as deleted when the origin orders it, once, also after a restart', async () => {
  const { day } = await shared();
  world.ahead.wallMs = DAY_MS + 1;
  await ended(1);
  await world.restart(DE);
  world.purges.purge(DE, day);
  world.purges.purge(DE, day);
  const receipts = await world.receipts(DE, 2);
  expect(receipts.map(stageOf)).toEqual(['DELETED', 'NOT_HELD']);
  const shown = await world.node(DE).operator.show({ origin: UN, eventId: day }, soon);
  expect(shown.state).toBe('PURGED');
});

test('neither a rewind nor a row that came back from somewhere brings back what ended', async () => {
  const { day, month } = await shared();
  const { dataDir } = world.node(DE);
  await world.stopNode(DE);
  const before = new DataStore(join(dataDir, 'data.db'));
  const row = before.find(UN, day);
  const sections = before.sections(UN, day);
  before.close();
  if (!row) throw new Error('expected a row');
  world.ahead.wallMs = DAY_MS + 1;
  await world.startNode(DE);
  await ended(1);

  await world.node(DE).operator.rewind({}, soon);
  await world.counted(DE, 'feed.purged', 1);
  await world.stopNode(DE);
  const restored = new DataStore(join(dataDir, 'data.db'));
  const batch = restored.waiting.open({ origin: UN, chain: 'restored', epoch: 1, number: 1 });
  restored.insert(UN, 'waiting', batch, [{ id: day, place: 0, body: { ...row, sections } }]);
  restored.close();
  await world.startNode(DE);
  expect(await refusalOf(world.open(DE, day))).toMatchObject({ code: 'PURGED' });
  await ended(2);
  expect(await world.inventory(DE)).toMatchObject({
    rows: [`${UN}/${month}`],
    ciphertexts: [`${UN}/${month}`],
    keys: [`${UN}/${month}`],
  });
});

test('a row whose key was refused ends too, although no entry will ever name it', async () => {
  world.aroundKeys = () => async (wanted) => ({
    answers: wanted.map((_one, statement) => ({
      ...{ statement, release: 0, item: { kind: 'refused', reason: 'NO_RULE' } as const },
    })),
    records: [],
  });
  await world.start(UN, DE);
  await world.publish(1);
  await world.counted(DE, 'keys.refused.NO_RULE', 1);
  world.ahead.wallMs = 30 * DAY_MS + 60_000;
  await ended(1);
  expect(await world.inventory(DE)).toMatchObject({
    rows: [],
    tombstones: [`${UN}/${eventId(1)}`],
  });
});

test('a wall clock that jumped ahead deletes nothing while the origin says otherwise', async () => {
  const { day } = await shared();
  world.purges.nowMs = () => Date.now();
  world.ahead.wallMs = 1_000 * DAY_MS;
  world.ahead.monotonicMs = STEADY_MS;
  expect(await refusalOf(world.open(DE, day))).toMatchObject({ code: 'READ_REFUSED' });
  const { readable, tombstones } = await world.partner(DE);
  expect({ readable, tombstones }).toEqual({ readable: 2, tombstones: 0 });
});

test('while the origin is silent a clock is believed once it was steady for an hour', async () => {
  await shared();
  world.purges.isUp = false;
  world.ahead.wallMs = 2 * DAY_MS;
  await world.restart(DE);
  expect(await world.counter(DE, 'retention.ended')).toBe(0);
  world.ahead.wallMs += STEADY_MS;
  world.ahead.monotonicMs += STEADY_MS;
  await ended(1);
});

test('more than one batch ends in one go', async () => {
  await world.start(UN, DE);
  const count = 1_100;
  const retainUntilMs = Date.now() + DAY_MS;
  await Promise.all(
    Array.from({ length: count }, (_, n) => world.publish(n + 1, { retainUntilMs })),
  );
  await world.readable(DE, count);
  world.ahead.wallMs = DAY_MS + 1;
  await ended(count);
  expect(await world.inventory(DE)).toMatchObject({ rows: [], ciphertexts: [], keys: [] });
});
