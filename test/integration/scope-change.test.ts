import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { PurgeOrder } from '@concordat/common/domain/records.js';
import { officerOrder, orderId } from '../support/ledger.js';
import { DE, FR, NodeWorld, UN, refusalOf, rule } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import { until } from '../support/until.js';

const soon = { timeoutMs: 1 };
const SECTIONS = ['addresses', 'aliases', 'documents', 'identity', 'listing', 'remarks'];
const ALL = SECTIONS.join(' ');
const toDe = rule('r-de', DE, ['**'], ['*']);
const toFr = rule('r-fr', FR, ['**'], ['*']);
const forbid = { id: 'f1', effect: 'forbid', categories: ['**'] };
let world: NodeWorld;
beforeEach(() => {
  world = new NodeWorld([toDe, toFr]);
});
afterEach(() => world.dispose());

/** Both hold events 1 to `count`. */
async function exchange(count: number, approvalsAbove = 1_000): Promise<void> {
  await world.start(UN, DE, FR);
  await world.startRevocation({ approvalsAbove });
  for (let n = 1; n <= count; n += 1) await world.publish(n);
  for (const member of [DE, FR]) await world.readable(member, count);
}

/** As `concordat config reload` does it. */
async function reload(): Promise<void> {
  await world.node(UN).operator.reloadPolicy({}, soon);
  await world.consentService.reloadPolicy({}, soon);
}

async function withPolicy(...change: Parameters<NodeWorld['writePolicy']>): Promise<void> {
  world.writePolicy(...change);
  await world.restart(UN);
}

const outcome = (member: MemberId, n: number) => world.outcome(member, eventId(n));

async function scopeOrders() {
  const { orders } = await world.purgeService.list({}, soon);
  return orders.filter(({ reason }) => reason === 'scope_changed');
}

const looked = () => world.purgeService.scope({}, soon);
const settled = (standing = '') =>
  until('the rule has looked through', async () => {
    const { doneStanding } = await looked();
    return doneStanding !== '' && doneStanding !== standing;
  });

describe('what leaves scope', () => {
  test('is ordered back from who would not be given it today; the others keep theirs', async () => {
    await exchange(2);
    await settled();
    const { doneStanding } = await looked();
    await withPolicy([toDe]);
    await until('fr holds nothing', async () => (await outcome(FR, 1)) === 'PURGED');
    await until('nor the other', async () => (await outcome(FR, 2)) === 'PURGED');
    expect([await outcome(DE, 1), await outcome(UN, 1)]).toEqual([ALL, ALL]);
    await until('it is proven', async () =>
      (await scopeOrders()).every(({ state }) => state === 'CLOSED'),
    );
    const orders = await scopeOrders();
    expect(orders.flatMap(({ eventIds }) => eventIds).sort()).toEqual([eventId(1), eventId(2)]);
    expect(orders.flatMap(({ holders }) => holders.map(({ member }) => member))).toEqual([FR]);
    await settled(doneStanding);
    // what was taken back stays so, whatever a policy says later
    const before = (await looked()).doneStanding;
    await withPolicy([toDe, toFr]);
    await settled(before);
    expect(await outcome(FR, 1)).toBe('PURGED');
    expect(await scopeOrders()).toHaveLength(orders.length);
  });

  test('may be some sections: the rest is read on', async () => {
    await exchange(1);
    await withPolicy([toDe, toFr, { ...forbid, recipients: [FR], sections: ['remarks'] }]);
    const left = SECTIONS.filter((name) => name !== 'remarks').join(' ');
    await until('fr reads the rest', async () => (await outcome(FR, 1)) === left);
    expect(await outcome(DE, 1)).toBe(ALL);
  });

  test('is everything after a consent that is withdrawn, without a start', async () => {
    await exchange(1);
    world.writePolicy([toDe, toFr], { consent: { withdrawn: true } });
    await reload();
    for (const member of [DE, FR]) {
      await until(`${member} holds nothing`, async () => (await outcome(member, 1)) === 'PURGED');
    }
    expect(await outcome(UN, 1)).toBe(ALL);
  });

  test('may leave it by the clock alone', async () => {
    const soonOver = new Date(world.clock.nowMs() + 3_600_000).toISOString();
    world.writePolicy([toDe, { ...toFr, until: soonOver }]);
    await exchange(1);
    await settled();
    world.ahead.wallMs = 7_200_000;
    world.ahead.monotonicMs = 7_200_000;
    await until('fr holds nothing', async () => (await outcome(FR, 1)) === 'PURGED');
    await until('de reads on', async () => (await outcome(DE, 1)) === ALL);
  });
});

describe('nothing is ordered back', () => {
  test('when a retention is shorter now: what was given keeps its delete-by', async () => {
    await exchange(1);
    await settled();
    const { doneStanding } = await looked();
    await withPolicy([toDe, { ...toFr, retention: 1 }]);
    await settled(doneStanding);
    expect(await scopeOrders()).toEqual([]);
    expect(await outcome(FR, 1)).toBe(ALL);
  });

  test('without a person when it is more than may go at once', async () => {
    await exchange(2, 1);
    await settled();
    await withPolicy([toDe]);
    await until('it waits', async () => (await looked()).waitingStanding !== '');
    const { waiting, waitingStanding: standing, confirmAbove } = await looked();
    expect({ waiting, confirmAbove }).toEqual({
      waiting: [{ recipient: FR, sections: [], events: 2 }],
      confirmAbove: 1,
    });
    expect(await scopeOrders()).toEqual([]);
    const other = world.purgeService.confirmScope({ standing: 'another' }, soon);
    expect(await refusalOf(other)).toMatchObject({ code: 'REQUEST_INVALID' });
    await world.purgeService.confirmScope({ standing }, soon);
    await until('fr holds nothing', async () => (await outcome(FR, 2)) === 'PURGED');
    await until('nothing is left', async () => (await looked()).doneStanding === standing);
    expect((await looked()).confirmedStanding).toBe('');
  });

  test('by a file that is broken, missing, or older than what was in force', async () => {
    await exchange(1);
    await settled();
    const { doneStanding } = await looked();
    for (const [policy, expected] of [
      ['{"agreements": [', /agreements\.json: /],
      ['{"agreements": [], "consents": [], "more": 1}', /unknown field/],
      [undefined, /readable file, came ENOENT/],
    ] as const) {
      world.putPolicy(policy);
      expect(await refusalOf(reload())).toMatchObject({
        code: 'CONFIG_INVALID',
        message: expected,
      });
    }
    world.writePolicy([toDe, toFr], { agreement: { version: 2 } });
    await reload();
    await settled(doneStanding);
    world.writePolicy([toDe], { agreement: { version: 1 } });
    const older = /agreement a1: expected version 2 or later, .* came 1/;
    expect(await refusalOf(reload())).toMatchObject({ code: 'CONFIG_INVALID', message: older });
    expect(await refusalOf(world.restart(UN))).toMatchObject({ message: older });
    expect(await scopeOrders()).toEqual([]);
    expect(await outcome(FR, 1)).toBe(ALL);
  });
});

describe('the node seals no order of the rule', () => {
  const back = (change: Partial<PurgeOrder>, n: number) =>
    world.keyService({ member: UN, service: 'revocation' }).destroyKeys(
      {
        order: officerOrder(
          world.members,
          {
            ...{ orderId: orderId(n), ids: [eventId(1)], recipients: [FR], supersededBy: null },
            ...{ reason: 'scope_changed', ...change },
          },
          { member: UN, role: 'revocation' },
        ),
        approvals: [],
      },
      soon,
    );

  test('unless the recipient holds all of it, and would be withheld it now', async () => {
    await world.start(UN, DE, FR);
    await world.publish(1);
    for (const member of [DE, FR]) await world.readable(member, 1);
    for (const member of [DE, FR]) await world.stopNode(member);
    await withPolicy([toDe, toFr, { ...forbid, recipients: [FR], sections: ['remarks'] }]);
    await world.publish(2);
    const before = world.records('ledger.un').length;
    const refused: Partial<PurgeOrder>[] = [
      {},
      { sections: ['identity'] },
      { sections: ['identity', 'remarks'] },
      { sections: ['remarks'], recipients: [] },
      { sections: ['remarks'], recipients: [DE, FR] },
      { sections: ['remarks'], recipients: [DE] },
      { sections: ['remarks'], ids: [eventId(2)] },
    ];
    for (const [at, change] of refused.entries()) {
      expect(await refusalOf(back(change, 10 + at))).toMatchObject({ code: 'ORDER_INVALID' });
    }
    expect(world.records('ledger.un')).toHaveLength(before);
    const taken = await back({ sections: ['remarks'] }, 6);
    expect(taken.sealRecord.length).toBeGreaterThan(0);
  });
});
