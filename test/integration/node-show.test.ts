import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { DE, NodeWorld, UN } from '../support/node-world.js';
import { eventId } from '../support/origin.js';

const soon = { timeoutMs: 1 };

let world: NodeWorld;
beforeEach(() => {
  world = new NodeWorld();
});
afterEach(() => world.dispose());

test('show tells what an amendment takes over, and what replaced an event that is gone', async () => {
  await world.start(UN, DE);
  await world.publish(1, { audience: { byAgreement: false, members: [DE] } });
  const show = (member: typeof DE, n: number) =>
    world.node(member).operator.show({ origin: UN, eventId: eventId(n) }, soon);
  const { legalBasis, schemaHash } = world.request(1);
  expect(await show(UN, 1)).toMatchObject({
    ...{ state: 'PUBLISHED', legalBasis, supersededBy: '' },
    audience: { byAgreement: false, members: [DE] },
  });
  expect(Buffer.from((await show(UN, 1)).schemaHash)).toEqual(Buffer.from(schemaHash));
  await world.readable(DE, 1);
  expect((await show(DE, 1)).audience).toBeFalsy();
  await world.publish(2, { supersedes: eventId(1) });
  expect(await show(UN, 1)).toMatchObject({ supersededBy: eventId(2) });
  expect((await show(UN, 2)).supersededBy).toBe('');
});
