import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { verifyStatement } from '@concordat/common/domain/statement.js';
import { codec } from '../support/federation.js';
import { officerApproval, officerOrder, orderId } from '../support/ledger.js';
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

test('one person may take back fewer', async () => {
  const { sealRecord } = await destroy(orderOf(1));
  expect(sealRecord.length).toBeGreaterThan(0);
});
