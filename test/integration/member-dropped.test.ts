import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { asConcordatError } from '@concordat/common/domain/errors.js';
import { type MemberId, asUnixMs } from '@concordat/common/domain/ids.js';
import { feedTopic, purgeTopic } from '@concordat/common/domain/topics.js';
import { codec } from '../support/federation.js';
import { DAY_MS, officerApproval, officerOrder, orderId } from '../support/ledger.js';
import { DE, FR, LANES, NodeWorld, UN, refusalOf, rule } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import { until } from '../support/until.js';

// MISP#10899: a member is to be dropped, and goes on receiving by way of another one that still has the data.
// Here un is the origin, de is dropped, and fr holds the same events under the same agreement.
const soon = { timeoutMs: 1 };
let world: NodeWorld;
beforeEach(async () => {
  world = new NodeWorld([rule('r-de', DE, ['**'], ['*']), rule('r-fr', FR, ['**'], ['*'])]);
  await world.start(UN, DE, FR);
  await world.startRevocation();
});
afterEach(() => world.dispose());

/** Two people drop de. */
async function drop(): Promise<void> {
  const nowMs = world.clock.nowMs();
  const order = officerOrder(world.members, {
    ...{ orderId: orderId(1), ids: [], recipients: [DE], reason: 'partner_withdrawn' },
    ...{ issuedAtMs: nowMs, deadlineMs: asUnixMs(nowMs + DAY_MS) },
  });
  await world.purgeService.order({ order }, soon);
  await world.purgeService.approve({ approval: officerApproval(world.members, order) }, soon);
}

async function dropped() {
  const { members } = await world.purgeService.members({ member: DE }, soon);
  const [de] = members;
  if (!de) throw new Error('de is not dropped');
  return de;
}
const reaches = (stage: string) =>
  until(`de is ${stage}`, async () => (await dropped()).stage === stage);

async function outcome(member: MemberId, n: number): Promise<string> {
  try {
    await world.open(member, eventId(n));
    return 'READ';
  } catch (cause) {
    return asConcordatError(cause).code;
  }
}
const outcomes = (member: MemberId, ...events: readonly number[]) =>
  Promise.all(events.map((n) => outcome(member, n)));

/** Feed statements to a member, as its topic has them. */
function statements(recipient: MemberId): Uint8Array[] {
  const topic = feedTopic({ origin: UN, recipient });
  return Array.from({ length: LANES }, (_, lane) => world.records(topic, lane))
    .flat()
    .map(({ value }) => {
      const block = codec.decode('FeedBlock', value);
      if (!block.ok) throw block.error;
      return block.value.statement;
    });
}
const wanted = (statement: Uint8Array) => ({ statement, wanted: Uint8Array.of(255) });

/** What un's node answers when de asks for the keys of these, one word for each release; or with which code it refuses. */
async function keysFor(given: readonly Uint8Array[]): Promise<string[]> {
  const words: string[] = [];
  for (const statement of given) {
    try {
      const { answers } = await world.askForKeys(DE, UN)([wanted(statement)], never);
      words.push(...answers.map(({ item }) => item.kind));
    } catch (cause) {
      words.push(asConcordatError(cause).code);
    }
  }
  return words;
}
const never = new AbortController().signal;
/** Every way by which something new could come to de; each must have nothing. Who adds a way of sharing adds its row. */
const WAYS: [way: string, blocked: () => Promise<readonly string[]>, expected: string][] = [
  ['its feed, from whatever number', () => fetches(1, 2, 3), 'MEMBER_LEAVES'],
  ['the keys of what it was fed', () => keysFor(statements(DE)), 'withdrawn'],
  ['what another member was fed', () => keysFor(statements(FR)), 'NOT_ADDRESSED_HERE'],
];

const fetches = (...numbers: readonly number[]) =>
  Promise.all(
    numbers.map(async (fromNumber) => {
      const again = world.feedService(DE).fetchFeed({ lane: 0, epoch: 1, fromNumber }, soon);
      return (await refusalOf(again)).code;
    }),
  );

describe('a member that is dropped', () => {
  test('gets nothing more by any way, while another partner holds the same and wants to share on', async () => {
    await world.publish(1);
    await world.publish(2);
    for (const member of [DE, FR]) await world.readable(member, 2);
    // what is on its way when it is dropped comes late, and without a key
    await world.stopNode(DE);
    await world.publish(3);
    await world.readable(FR, 3);
    await until('its feed has it', () => statements(DE).length === statements(FR).length);
    await drop();
    await reaches('LEAVING');
    await world.publish(4);
    await world.readable(FR, 4);
    await world.startNode(DE);
    await reaches('LEFT');
    expect(await dropped()).toMatchObject({ events: 2, answered: 2, owed: [], notOrdered: 0 });
    const nothing = ['PURGED', 'PURGED', 'RELEASE_WITHHELD', 'EVENT_UNKNOWN'];
    await until('its node was told', async () => (await outcome(DE, 3)) === 'RELEASE_WITHHELD');
    expect(await outcomes(DE, 1, 2, 3, 4)).toEqual(nothing);
    for (const [way, blocked, expected] of WAYS) {
      const came = new Set(await blocked());
      expect({ way, came: [...came] }).toEqual({ way, came: [expected] });
    }
    // nor after a restart, nor from old topics
    await world.restart(DE);
    await world.node(DE).operator.rewind({}, soon);
    await world.publish(5);
    await world.readable(FR, 5);
    await until('de is fresh again', async () => (await world.partner(DE)).freshness === 'FRESH');
    expect(await outcomes(DE, 1, 2, 3, 4, 5)).toEqual([...nothing, 'EVENT_UNKNOWN']);
    expect((await world.partner(DE)).readable).toBe(0);
    const { keys, held } = await world.inventory(DE);
    expect([keys, held]).toEqual([[], []]);
    expect(await outcomes(FR, 1, 2, 3, 4, 5)).toEqual(['READ', 'READ', 'READ', 'READ', 'READ']);
    // what it still has to read stays open to it
    const entries = world.records(purgeTopic({ origin: UN, recipient: DE }));
    const again = await world.fetchLedger(DE, { lane: 0, epoch: 1, fromNumber: 1 });
    expect(again.blocks).toEqual(entries.map(({ value }) => value));
  });

  test('and is silent owes it for ever; nobody else notices, and a late answer is one', async () => {
    await world.publish(1);
    for (const member of [DE, FR]) await world.readable(member, 1);
    await world.stopNode(DE);
    await drop();
    await until('it owes an answer', async () => (await dropped()).owedEntries === 1);
    world.ahead.wallMs = 2 * DAY_MS;
    world.ahead.monotonicMs = 2 * DAY_MS;
    await until(
      'its silence is signed',
      async () => (await dropped()).owed[0]?.state === 'DEFAULTED',
    );
    await world.stopRevocation();
    await world.startRevocation();
    expect(await dropped()).toMatchObject({ stage: 'LEAVING', overdue: 1, answered: 0 });
    await until('fr reads on', async () => (await outcome(FR, 1)) === 'READ');
    await world.startNode(DE);
    await reaches('LEFT');
    expect(await outcomes(DE, 1)).toEqual(['PURGED']);
  });
});
