import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { EMPTY_HEAD, nextLink } from '@concordat/common/domain/chain.js';
import { type MemberId, asUnixMs } from '@concordat/common/domain/ids.js';
import type { FeedStatement } from '@concordat/common/domain/records.js';
import { SUITE } from '@concordat/common/domain/statement.js';
import { codec } from '../support/federation.js';
import { signAs } from '../support/ledger.js';
import { DE, FR, LANES, NodeWorld, UN, refusalOf } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import { until } from '../support/until.js';

let world: NodeWorld;
beforeEach(() => {
  world = new NodeWorld();
});
afterEach(() => world.dispose());

const soon = { timeoutMs: 1 };
const digest = () => world.node(DE).operator.stateDigest({}, soon);
const append = (value: Uint8Array, lane = 0) => world.log.append('feed.un.de', lane, [{ value }]);
const feedOf = (member: MemberId) => world.log.lanes(`feed.un.${member}`);
const firstOf = (member: MemberId): Uint8Array => {
  const [first] = feedOf(member).flatMap(({ records }) => records);
  if (!first) throw new Error(`nothing was sent to ${member}`);
  return first.value;
};

/** A feed block with nothing in it, signed by whom the test wants. */
function emptyBlock(origin: MemberId, change: Partial<FeedStatement>): Uint8Array {
  const { bytes } = signAs(world.members, { member: origin, role: 'consent' }, 'FeedStatement', {
    ...{ suite: SUITE, federation: 'test', origin, keyId: '', recipient: DE, lane: 0 },
    ...{ ...nextLink(EMPTY_HEAD), timeMs: asUnixMs(Date.now()), releases: [] },
    ...change,
  });
  return codec.encode('FeedBlock', { statement: bytes, blocks: [] });
}

describe('a feed block', () => {
  test('that comes again, at a new offset, is ignored and counted', async () => {
    await world.start(UN, DE);
    await world.publish(1);
    await world.readable(DE, 1);
    const before = await digest();
    append(firstOf(DE));
    await world.counted(DE, 'feed.duplicate', 1);
    expect(await digest()).toEqual(before);
    await world.publish(2);
    await world.readable(DE, 2);
  });

  test.each<[name: string, code: string, value: () => Uint8Array]>([
    ['addressed to another member', 'NOT_ADDRESSED_HERE', () => firstOf(FR)],
    ['of another lane', 'NOT_ADDRESSED_HERE', () => emptyBlock(UN, { lane: 1 })],
    ['of another origin', 'SENDER_NOT_TOPIC_OWNER', () => emptyBlock(FR, {})],
    [
      'that speaks for another origin than signed it',
      'SENDER_NOT_TOPIC_OWNER',
      () => emptyBlock(UN, { origin: FR }),
    ],
    ['of the future that breaks the chain', 'CHAIN_BROKEN', () => emptyBlock(UN, { epoch: 2 })],
    ['of no bytes', 'RECORD_MALFORMED', () => new Uint8Array()],
    [
      'with a changed ciphertext',
      'ENVELOPE_MALFORMED',
      () => {
        const block = codec.decode('FeedBlock', firstOf(DE));
        if (!block.ok) throw block.error;
        const [partial] = block.value.blocks;
        const [envelope] = partial?.envelopes ?? [];
        const [section] = envelope?.sections ?? [];
        section?.sealed.set([(section.sealed[20] ?? 0) ^ 1], 20);
        return codec.encode('FeedBlock', block.value);
      },
    ],
  ])('%s is refused as %s, kept as evidence, and the line goes on', async (_name, code, value) => {
    await world.start(UN, DE);
    await world.publish(1);
    await world.readable(DE, 1);
    await until('fr was sent one too', () => feedOf(FR).some(({ records }) => records.length > 0));
    const before = await digest();
    append(value());
    await world.counted(DE, `quarantined.${code}`, 1);
    expect(await digest()).toEqual(before);
    for (let n = 2; n < 2 + LANES; n += 1) await world.publish(n);
    await world.readable(DE, 1 + LANES);
  });
});

describe('a lost acknowledgement', () => {
  test('leads to the same bytes once more, which every reader takes for one', async () => {
    await world.start(UN, DE);
    world.log.failSends('unknown-but-there');
    await world.publish(1);
    await world.readable(DE, 1);
    const sentBlocks = () => world.log.lanes('events.un').flatMap(({ records }) => records);
    await until('the block was sent again', () => sentBlocks().length > 1);
    const sent = sentBlocks();
    expect(sent).toHaveLength(2);
    expect(sent[1]?.value).toEqual(sent[0]?.value);
    await world.publish(2);
    await world.readable(DE, 2);
    expect(await world.partner(DE)).toMatchObject({ gaps: [] });
  });
});

describe('rewinding', () => {
  test('takes everything in again and adds no record, no receipt and no event', async () => {
    await world.start(UN, DE);
    for (let n = 0; n < 6; n += 1) await world.publish(n);
    await world.readable(DE, 6);
    world.purges.purge(DE, eventId(0), eventId(1));
    await world.receipts(DE, 1);
    const before = await digest();
    const counted = await world.status(UN);
    await world.node(DE).operator.rewind({}, soon);
    await until('it has caught up', async () => {
      world.demandAlive();
      return Buffer.from((await digest()).heads).equals(before.heads);
    });
    expect(await digest()).toEqual(before);
    expect(await world.receipts(DE, 1)).toHaveLength(1);
    expect((await world.status(UN)).ledgerRecords).toBe(counted.ledgerRecords);
    expect(await world.partner(DE)).toMatchObject({ readable: 4, tombstones: 2, waiting: 0 });
    expect(await refusalOf(world.open(DE, eventId(0)))).toMatchObject({ code: 'PURGED' });
    expect(await world.read(DE, eventId(5))).toBeDefined();
  });

  test('twice at once is once after the other', async () => {
    await world.start(UN, DE);
    await world.publish(1);
    await world.readable(DE, 1);
    const before = await digest();
    const { rewind } = world.node(DE).operator;
    await Promise.all([rewind({}, soon), rewind({}, soon)]);
    await until('it has caught up', async () => {
      return Buffer.from((await digest()).heads).equals(before.heads);
    });
    await world.publish(2);
    await world.readable(DE, 2);
    expect(await world.counter(DE, 'feed.duplicate')).toBe(0);
  });

  test('is for profile demo only', async () => {
    const { operator } = await world.startNode(DE, { profile: 'production' });
    expect(await refusalOf(operator.rewind({}, soon))).toMatchObject({
      code: 'CALLER_NOT_ALLOWED',
    });
  });
});

describe('a data directory', () => {
  test('belongs to one process: a second one is refused', async () => {
    const first = await world.startNode(DE);
    expect(await refusalOf(world.startNode(DE))).toMatchObject({ code: 'DATA_DIR_LOCKED' });
    // the world knows the newest start only
    await first.running.close();
    await world.startNode(DE);
  });
});
