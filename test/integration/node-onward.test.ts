import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { MemberId } from '@concordat/common/domain/ids.js';
import { verifyStatement } from '@concordat/common/domain/statement.js';
import { codec } from '../support/federation.js';
import { officerApproval, officerOrder, orderId } from '../support/ledger.js';
import { lose } from '../support/losses.js';
import { DE, FR, NodeWorld, UN, refusalOf, rule } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import { until } from '../support/until.js';

const soon = { timeoutMs: 1 };
const onlyDe = { audience: { byAgreement: false, members: [DE] } };
/** `de` may share on; `fr` may have two sections, for screening. */
const RULES = [
  { ...rule('r-de', DE, ['**'], ['*']), onward: true },
  rule('r-fr', FR, ['**'], ['identity', 'aliases']),
];
let world: NodeWorld;
beforeEach(() => {
  world = new NodeWorld(RULES);
});
afterEach(() => world.dispose());

type Change = Partial<{ eventId: string; recipient: string; purpose: string; reason: string }>;
const wish = (change: Change = {}) => ({
  ...{ eventId: eventId(1), recipient: FR, purpose: 'screening', reason: 'file 7' },
  ...change,
});
const ask = (change: Change = {}) =>
  world.node(DE).operator.askOnward({ origin: UN, ...wish(change) }, soon);
const askAs = (member: MemberId, change: Change = {}) =>
  world.onwardService(member).requestOnward(wish(change), soon);
const requests = async () => (await world.node(UN).operator.listOnward({}, soon)).requests;

const outcome = (member: MemberId, n = 1) => world.outcome(member, eventId(n));

/** `de` alone holds event 1, which was not meant for `fr`. */
async function held(): Promise<void> {
  await world.start(UN, DE, FR);
  await world.publish(1, onlyDe);
  await world.readable(DE, 1);
}

async function destroy(order: Uint8Array): Promise<readonly MemberId[]> {
  const revocation = { member: UN, service: 'revocation' } as const;
  const { sealRecord } = await world
    .keyService(revocation)
    .destroyKeys({ order, approvals: [] }, soon);
  const seal = verifyStatement(codec, world.members.keys, 'SealRecord', sealRecord, { signer: UN });
  if (!seal.ok) throw seal.error;
  return seal.value.value.holders.map(({ recipient }) => recipient);
}

test('at a holder’s request the origin releases to a third member, who is a holder like all others', async () => {
  await held();
  expect(await outcome(FR)).toBe('EVENT_UNKNOWN');
  await ask();
  await until('fr reads what the policy lets it have', async () => {
    return (await outcome(FR)) === 'aliases identity';
  });
  // once is enough
  await ask();
  expect(await requests()).toMatchObject([
    { holder: DE, recipient: FR, purpose: 'screening', reason: 'file 7', answer: 'ACCEPTED' },
  ]);
  const { holders } = await world.node(UN).operator.holders({ eventId: eventId(1) }, soon);
  expect(holders.map(({ member }) => member).sort()).toEqual([DE, FR]);
  const explained = await world.consentService.explain(
    { eventId: eventId(1), recipient: FR },
    soon,
  );
  expect(explained).toMatchObject({ outcome: 'RELEASED', purposes: ['screening'] });
  // without its keys it is given them again, also by an origin that has lost who asked
  await world.stopNode(FR);
  const { dataDir } = world.node(UN);
  await world.stopNode(UN);
  lose(dataDir, 'state');
  await world.startNode(UN);
  const fr = await world.startNode(FR);
  await world.stopNode(FR);
  lose(fr.dataDir, 'vault');
  await world.startNode(FR);
  await until('fr reads again', async () => (await outcome(FR)) === 'aliases identity');
  // and a purge addresses both
  const order = officerOrder(world.members, { orderId: orderId(1), ids: [eventId(1)] });
  expect(await destroy(order)).toEqual([DE, FR]);
});

describe('it is refused, and kept with who asked,', () => {
  test('unless the caller holds the event', async () => {
    await held();
    for (const [member, change] of [
      [FR, { recipient: DE }],
      [DE, { eventId: eventId(2) }],
    ] as const) {
      expect(await refusalOf(askAs(member, change))).toMatchObject({ code: 'ONWARD_NOT_HELD' });
    }
    expect(await refusalOf(ask({ eventId: eventId(2) }))).toMatchObject({
      code: 'ONWARD_NOT_HELD',
    });
    await destroy(
      officerOrder(world.members, {
        ...{ orderId: orderId(1), ids: [eventId(1)], recipients: [DE] },
      }),
    );
    expect(await refusalOf(askAs(DE))).toMatchObject({ code: 'ONWARD_NOT_HELD' });
    const answers = (await requests()).map(({ answer, holder }) => `${holder} ${answer}`);
    expect(answers).toEqual(['de ONWARD_NOT_HELD', 'de ONWARD_NOT_HELD', 'fr ONWARD_NOT_HELD']);
  });

  test('where the policy does not let it go, in the same words whatever the third member holds', async () => {
    await held();
    await world.publish(2);
    await world.readable(FR, 1);
    const texts = new Set<string>();
    for (const change of [
      { purpose: 'statistics' },
      { purpose: 'statistics', eventId: eventId(2) },
      { recipient: DE },
      { recipient: UN },
      { recipient: 'xx' },
    ]) {
      const refusal = await refusalOf(askAs(DE, change));
      expect(refusal).toMatchObject({ code: 'ONWARD_NOT_ALLOWED' });
      texts.add(refusal.message);
    }
    expect(texts.size).toBe(1);
    for (const change of [{ reason: ' ' }, { purpose: 'Not a name' }, { recipient: 'X' }]) {
      expect(await refusalOf(askAs(DE, change))).toMatchObject({ code: 'REQUEST_INVALID' });
    }
  });

  test('without leave to share on, at the holder and at the origin', async () => {
    world.writePolicy([rule('r-de', DE, ['**'], ['*']), rule('r-fr', FR, ['**'], ['*'])]);
    await held();
    expect(await refusalOf(ask())).toMatchObject({ code: 'ONWARD_NOT_ALLOWED' });
    expect(await requests()).toEqual([]);
    expect(await refusalOf(askAs(DE))).toMatchObject({ code: 'ONWARD_NOT_ALLOWED' });
    expect(await requests()).toMatchObject([{ answer: 'ONWARD_NOT_ALLOWED' }]);
  });

  test('for a member that leaves, and by one; what is on its way never arrives', async () => {
    await held();
    const leave = async (member: MemberId, n: number) => {
      const order = officerOrder(world.members, {
        ...{ orderId: orderId(n), ids: [], recipients: [member], reason: 'partner_withdrawn' },
      });
      const approvals = [officerApproval(world.members, order)];
      await world
        .membershipService({ member: UN, service: 'revocation' })
        .letMemberGo({ order, approvals }, soon);
    };
    await world.stopConsent();
    await ask();
    await leave(FR, 5);
    await world.startConsent();
    expect(await refusalOf(ask())).toMatchObject({ code: 'ONWARD_NOT_ALLOWED' });
    await until('consent has seen it', () => world.records('membership.un').length === 1);
    await leave(DE, 6);
    expect(await refusalOf(ask())).toMatchObject({ code: 'MEMBER_LEAVES' });
    expect(await outcome(FR)).toMatch(/EVENT_UNKNOWN|RELEASE_WITHHELD/);
    const { holders } = await world.node(UN).operator.holders({ eventId: eventId(1) }, soon);
    expect(holders.map(({ member }) => member)).toEqual([DE]);
  });
});
