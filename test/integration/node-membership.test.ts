import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { asConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { PurgeOrder } from '@concordat/common/domain/records.js';
import { verifyStatement } from '@concordat/common/domain/statement.js';
import { systemClock } from '@concordat/common/io/system-ports.js';
import { codec } from '../support/federation.js';
import { officerApproval, officerOrder, orderId } from '../support/ledger.js';
import { lose } from '../support/losses.js';
import { DE, FR, LANES, NodeWorld, UN, refusalOf, rule } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import { until } from '../support/until.js';

const soon = { timeoutMs: 1 };
let world: NodeWorld;
beforeEach(() => {
  world = new NodeWorld([rule('r-de', DE, ['**'], ['*']), rule('r-fr', FR, ['**'], ['*'])]);
});
afterEach(() => world.dispose());

const revocation = { member: UN, service: 'revocation' } as const;
const members = () => world.membershipService(revocation);
const leaveOrder = (change: Partial<PurgeOrder> = {}, who?: Parameters<typeof officerOrder>[2]) =>
  officerOrder(
    world.members,
    { orderId: orderId(1), ids: [], recipients: [DE], reason: 'partner_withdrawn', ...change },
    who,
  );
const letGo = (order: Uint8Array, ...approvals: readonly Uint8Array[]) =>
  members().letMemberGo({ order, approvals: [...approvals] }, soon);

async function leave(): Promise<Uint8Array> {
  const order = leaveOrder();
  const { change } = await letGo(order, officerApproval(world.members, order));
  return change;
}

function changeOf(bytes: Uint8Array) {
  const change = verifyStatement(codec, world.members.keys, 'MembershipChange', bytes, {
    signer: UN,
  });
  if (!change.ok) throw change.error;
  return change.value.value;
}

async function outcome(member: MemberId, n: number): Promise<string> {
  try {
    await world.open(member, eventId(n));
    return 'READ';
  } catch (cause) {
    return asConcordatError(cause).code;
  }
}

const fed = () =>
  Array.from({ length: LANES }, (_, lane) => world.records('feed.un.de', lane).length).reduce(
    (sum, count) => sum + count,
    0,
  );
const LEAVES = 'a member leaves: nothing more is released to it';
const onTopic = () => world.records('membership.un').map(({ value }) => value);

describe('a member that leaves', () => {
  test('gets no key from the commit on; the others do, and purge entries still reach it', async () => {
    await world.start(UN, DE, FR);
    await world.publish(1);
    for (const member of [DE, FR]) await world.readable(member, 1);
    const change = await leave();
    expect(changeOf(change)).toMatchObject({ member: DE, stage: 'LEAVING', number: 1 });
    expect(onTopic()).toEqual([change]);
    await world.publish(2);
    await world.readable(FR, 2);
    await until('consent has read it', () => world.said.some(({ text }) => text === LEAVES));
    await world.publish(3);
    await world.readable(FR, 3);
    // it is not even fed
    expect(await outcome(DE, 3)).toBe('EVENT_UNKNOWN');
    expect(await world.partner(DE)).toMatchObject({ freshness: 'FRESH' });
    world.purges.purge(DE, eventId(1));
    await world.receipts(DE, 1);
    expect([await outcome(DE, 1), await outcome(FR, 1)]).toEqual(['PURGED', 'READ']);
  });

  test('is remembered after a loss of the state, and the change stays the same', async () => {
    await world.start(UN);
    await world.publish(1);
    await until('consent has fed it', () => fed() > 0);
    const change = await leave();
    const { dataDir } = world.node(UN);
    await world.stopNode(UN);
    lose(dataDir, 'state');
    await world.startNode(UN);
    // whoever asks again gets the same answer, and nothing more is sent
    expect((await letGo(leaveOrder())).change).toEqual(change);
    expect(onTopic()).toEqual([change]);
    await world.startNode(DE);
    await until('de gets no key', async () => (await outcome(DE, 1)) === 'RELEASE_WITHHELD');
    const refusal = await refusalOf(world.open(DE, eventId(1)));
    expect(refusal.message).toContain('MEMBER_LEAVES');
    const { change: left } = await members().letMemberBeGone({ member: DE }, soon);
    expect(changeOf(left)).toMatchObject({ member: DE, stage: 'LEFT', number: 2 });
    expect((await members().letMemberBeGone({ member: DE }, soon)).change).toEqual(left);
  });

  test('may be ordered back by rule, and nobody else', async () => {
    await world.start(UN);
    await world.publish(1);
    const by = { member: UN, role: 'revocation' } as const;
    const back = (recipients: readonly MemberId[], n: number) =>
      world.keyService(revocation).destroyKeys(
        {
          order: leaveOrder({ orderId: orderId(n), ids: [eventId(1)], recipients }, by),
          approvals: [],
        },
        soon,
      );
    expect(await refusalOf(back([DE], 5))).toMatchObject({ code: 'ORDER_NOT_AUTHORISED' });
    await leave();
    expect(await refusalOf(back([DE, FR], 6))).toMatchObject({ code: 'ORDER_NOT_AUTHORISED' });
    expect((await back([DE], 7)).sealRecord.length).toBeGreaterThan(0);
  });
});

test('consent that lost its database feeds nobody before it knows who leaves', async () => {
  await world.start(UN, DE, FR);
  await leave();
  await world.stopConsent();
  rmSync(join(world.dir, 'consent'), { recursive: true });
  await world.publish(1);
  // who leaves is read much later than what is published
  world.aroundConsentLog = (log) => ({
    ...log,
    read: (options) =>
      log.read({
        ...options,
        handle: async (batch) => {
          if (options.topics.includes('membership.un')) await systemClock.sleep(300);
          return options.handle(batch);
        },
      }),
  });
  await world.startConsent();
  await world.readable(FR, 1);
  expect(fed()).toBe(0);
});

describe('nobody leaves', () => {
  beforeEach(() => world.start(UN));
  afterEach(() => expect(onTopic()).toEqual([]));

  test('for one person', async () => {
    const order = leaveOrder();
    const own = officerApproval(world.members, order, { officer: 1 });
    for (const approvals of [[], [own]]) {
      expect(await refusalOf(letGo(order, ...approvals))).toMatchObject({
        code: 'ORDER_NEEDS_APPROVAL',
        message: "expected 2 people for a member's leaving, came 1",
      });
    }
  });

  test.each<[name: string, code: string, change: Partial<PurgeOrder>]>([
    ['by an order for events', 'ORDER_INVALID', { ids: [eventId(1)] }],
    ['by an order for a section', 'ORDER_INVALID', { sections: ['remarks'] }],
    ['when two are named', 'ORDER_INVALID', { recipients: [DE, FR] }],
    ['when everybody is meant', 'ORDER_INVALID', { recipients: [] }],
    ['when it is the origin', 'ORDER_INVALID', { recipients: [UN] }],
    ['for a reason about an event', 'ORDER_INVALID', { reason: 'error' }],
  ])('%s', async (_name, code, change) => {
    const order = leaveOrder(change);
    const approval = officerApproval(world.members, order);
    expect(await refusalOf(letGo(order, approval))).toMatchObject({ code });
  });

  test('by rule, nor is anybody gone who does not leave', async () => {
    const order = leaveOrder({}, { member: UN, role: 'revocation' });
    expect(await refusalOf(letGo(order))).toMatchObject({ code: 'ORDER_NOT_AUTHORISED' });
    const gone = members().letMemberBeGone({ member: FR }, soon);
    expect(await refusalOf(gone)).toMatchObject({ code: 'ORDER_INVALID' });
  });
});
