import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { verifyStatement } from '@concordat/common/domain/statement.js';
import { codec } from '../support/federation.js';
import { officerApproval, officerOrder, orderId } from '../support/ledger.js';
import { lose } from '../support/losses.js';
import { DE, NodeWorld, UN, refusalOf } from '../support/node-world.js';
import { eventId } from '../support/origin.js';

let world: NodeWorld;
beforeEach(async () => {
  world = new NodeWorld();
  await world.startConsent();
  await world.startNode(UN, { approvalsAbove: 1 });
  await world.startNode(DE);
  await world.publish(1);
  await world.publish(2);
  await world.readable(DE, 2);
});
afterEach(() => world.dispose());

const orderOf = (...numbers: readonly number[]) =>
  officerOrder(world.members, { orderId: orderId(1), ids: numbers.map(eventId) });
const approvalOf = (...given: unknown[]) => {
  const [order, who] = given as [Uint8Array, Parameters<typeof officerApproval>[2]];
  return officerApproval(world.members, order, who);
};
const destroy = (order: Uint8Array, ...approvals: readonly Uint8Array[]) =>
  world
    .keyService({ member: UN, service: 'revocation' })
    .destroyKeys({ order, approvals: [...approvals] }, { timeoutMs: 1 });

test('keys of more events than one person may take back are destroyed for two people only', async () => {
  const order = orderOf(1, 2);
  const other = officerOrder(world.members, { orderId: orderId(2), ids: [eventId(1)] });
  const notEnough = [
    [],
    [approvalOf(order, { officer: 1 }), approvalOf(order, { officer: 3 })],
    [approvalOf(order, { officer: 4 })],
    [approvalOf(other)],
    [order, new Uint8Array(3)],
  ];
  for (const approvals of notEnough) {
    expect(await refusalOf(destroy(order, ...approvals))).toMatchObject({
      code: 'ORDER_NEEDS_APPROVAL',
      message: 'expected 2 people for an order of 2 events (more than 1), came 1',
    });
  }
  await world.open(DE, eventId(1));
  expect(world.records('ledger.un').length).toBeGreaterThan(0);
  expect((await world.partner(DE)).readable).toBe(2);

  const approval = approvalOf(order);
  const { sealRecord } = await destroy(
    order,
    approvalOf(order, { officer: 3 }),
    approval,
    approval,
  );
  const seal = verifyStatement(codec, world.members.keys, 'SealRecord', sealRecord, { signer: UN });
  const counted = verifyStatement(codec, world.members.keys, 'PurgeApproval', approval, {
    signer: UN,
  });
  if (!seal.ok || !counted.ok) throw new Error('expected two statements');
  expect(seal.value.value.approvals).toEqual([counted.value.hash]);
  // what is sealed is answered the same way, whoever asks again
  expect((await destroy(order)).sealRecord).toEqual(sealRecord);
});

const sealed = async (order: Uint8Array, ...approvals: readonly Uint8Array[]) =>
  (await destroy(order, ...approvals)).sealRecord.length > 0;
const orderNo = (n: number, who?: Parameters<typeof officerOrder>[2]) =>
  officerOrder(world.members, { orderId: orderId(n), ids: [eventId(n)] }, who);

test('one person may take back fewer, and splitting an order into several helps nobody', async () => {
  expect(await sealed(orderNo(1))).toBe(true);
  const second = orderNo(2);
  const more = {
    code: 'ORDER_NEEDS_APPROVAL',
    message:
      'expected 2 people for an order of 1 events, after 1 by one person in 24 h (more than 1), came 1',
  };
  expect(await refusalOf(destroy(second))).toMatchObject(more);
  // another key of the same person, and a restart, change nothing
  const otherKey = { member: UN, role: 'purge-officer', officer: 3 } as const;
  expect(await refusalOf(destroy(orderNo(2, otherKey)))).toMatchObject(more);
  await world.stopNode(UN);
  await world.startNode(UN, { approvalsAbove: 1 });
  expect(await refusalOf(destroy(second))).toMatchObject(more);
  // what two people order counts for neither of them
  await world.publish(3);
  expect(await sealed(second, approvalOf(second))).toBe(true);
  const other = { member: UN, role: 'purge-officer', officer: 2 } as const;
  expect(await sealed(orderNo(3, other))).toBe(true);
  // and a day later there is room again
  await world.publish(4);
  expect(await refusalOf(destroy(orderNo(4)))).toMatchObject(more);
  world.ahead.wallMs += 24 * 3_600_000 + 120_000;
  expect(await sealed(orderNo(4))).toBe(true);
});

test('orders that come in one moment are counted together', async () => {
  const came = await Promise.allSettled([1, 2].map((n) => destroy(orderNo(n))));
  expect(came.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
});

test('after a loss of the state what two people ordered is not signed again for one', async () => {
  const order = orderOf(1, 2);
  const approval = approvalOf(order);
  const { sealRecord } = await destroy(order, approval);
  const { dataDir } = world.node(UN);
  await world.stopNode(UN);
  lose(dataDir, 'state');
  await world.startNode(UN, { approvalsAbove: 1 });
  expect(await refusalOf(destroy(order))).toMatchObject({ code: 'ORDER_NEEDS_APPROVAL' });
  expect((await destroy(order, approval)).sealRecord).toEqual(sealRecord);
});
