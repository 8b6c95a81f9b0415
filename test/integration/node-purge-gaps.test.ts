import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { utf8 } from '@concordat/common/domain/bytes.js';
import { DE, FR, NodeWorld, UN, refusalOf } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import '../support/long-timeout.js';
import { until } from '../support/until.js';

const PURGES = 'purge.un.de';

let world: NodeWorld;
beforeEach(async () => {
  world = new NodeWorld();
  await world.start(UN, DE);
});
afterEach(() => world.dispose());

const gapsOf = async () => (await world.partner(DE)).gaps;

async function held(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await world.publish(n);
  await world.readable(DE, count);
}

/** An entry that the origin wrote and sent, and that its topic lost. */
function lost(...ns: readonly number[]): Uint8Array {
  return world.purges.next(DE, ns.map(eventId));
}

async function named(gap: RegExp): Promise<void> {
  await until(`the gap ${String(gap)} is named`, async () => gap.test((await gapsOf())[0] ?? ''));
}

test('a purge entry that is missing stops reading and is named, then fetched from the origin', async () => {
  await held(3);
  world.purges.isUp = false;
  lost(0);
  world.purges.purge(DE, eventId(1));
  await named(/^purge\.un\.de: missing 1 to 1 \(.*the revocation service is down.*\)$/);
  expect(await gapsOf()).toHaveLength(1);
  // nothing behind the gap has an effect, and nothing is read: what is missing may take back anything
  expect(await world.partner(DE)).toMatchObject({ tombstones: 0, freshness: 'BEHIND' });
  expect(await refusalOf(world.open(DE, eventId(2)))).toMatchObject({ code: 'BEHIND' });

  world.purges.isUp = true;
  expect(await world.receipts(DE, 2)).toHaveLength(2);
  expect(await gapsOf()).toEqual([]);
  for (const n of [0, 1]) {
    expect(await refusalOf(world.open(DE, eventId(n)))).toMatchObject({ code: 'PURGED' });
  }
  expect((await world.open(DE, eventId(2))).warnings).toEqual([]);
});

test('the last entry of the chain is missed by the word of the origin alone', async () => {
  await held(2);
  const fetchLedger = world.fetchLedger;
  world.fetchLedger = () => {
    throw new Error('the line is cut');
  };
  lost(0);
  await named(/^purge\.un\.de: missing 1 to 1 \(/);
  expect(world.said.map(({ fields }) => fields.code)).toContain('CHAIN_GAP');
  expect(await refusalOf(world.open(DE, eventId(1)))).toMatchObject({ code: 'BEHIND' });
  world.fetchLedger = fetchLedger;
  await world.receipts(DE, 1);
  await until('nothing is missing', async () => (await gapsOf()).length === 0);
  expect((await world.open(DE, eventId(1))).sections).not.toHaveLength(0);
});

test('an entry that cannot be read on its topic is kept as evidence, and fetched', async () => {
  await held(1);
  lost(0);
  world.log.append(PURGES, 0, [{ value: utf8('no entry') }]);
  await world.receipts(DE, 1);
  expect(await world.counter(DE, 'quarantined.RECORD_MALFORMED')).toBe(1);
  expect(await refusalOf(world.open(DE, eventId(0)))).toMatchObject({ code: 'PURGED' });
});

test('many missing entries come page by page, each honoured once, in their order', async () => {
  await held(12);
  const pages: number[] = [];
  const fetchLedger = world.fetchLedger;
  world.fetchLedger = (recipient, wanted) => {
    pages.push(wanted.fromNumber);
    return fetchLedger(recipient, wanted);
  };
  const missing = Array.from({ length: 10 }, (_, n) => lost(n));
  world.purges.purge(DE, eventId(10));
  await world.receipts(DE, 11);
  expect(pages.slice(0, 4)).toEqual([1, 4, 7, 10]);
  expect(await world.counter(DE, 'purge.entries')).toBe(11);
  // the topic finds them again: nothing has its effect a second time
  for (const value of missing) world.log.append(PURGES, 0, [{ value }]);
  await world.counted(DE, 'purge.duplicate', 10);
  expect(await world.receipts(DE, 11)).toHaveLength(11);
  expect(await world.partner(DE)).toMatchObject({ tombstones: 11, readable: 1 });
});

test('a node that restarts at a gap does not forget it', async () => {
  await held(2);
  world.purges.isUp = false;
  lost(0);
  world.purges.purge(DE, eventId(1));
  await named(/missing 1 to 1/);
  await world.stopNode(DE);
  world.purges.isUp = true;
  await world.startNode(DE);
  expect(await world.receipts(DE, 2)).toHaveLength(2);
  expect(await gapsOf()).toEqual([]);
});

test.each<[name: string, forged: () => Uint8Array]>([
  ['to another member', () => world.purges.sign(FR, [eventId(1)]).bytes],
  [
    'that another member signed',
    () => world.purges.sign(DE, [eventId(1)], {}, { member: FR, role: 'revocation' }).bytes,
  ],
])(
  'an answer with an entry %s changes nothing: the gap stays, and says so',
  async (_name, forged) => {
    await held(2);
    const fetchLedger = world.fetchLedger;
    const bytes = forged();
    world.fetchLedger = () => ({ blocks: [bytes], firstKept: 1, head: 1 });
    lost(0);
    await named(/what the writer sent is refused/);
    expect(await world.partner(DE)).toMatchObject({ tombstones: 0, readable: 2 });
    world.fetchLedger = fetchLedger;
    await world.receipts(DE, 1);
    expect(await world.partner(DE)).toMatchObject({ tombstones: 1, readable: 1 });
  },
);
