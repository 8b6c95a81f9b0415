import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { bytesKey } from '@concordat/common/domain/bytes.js';
import { asConcordatError } from '@concordat/common/domain/errors.js';
import { codec } from '../support/federation.js';
import { officerOrder, orderId } from '../support/ledger.js';
import { DE, FR, NodeWorld, UN, refusalOf } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import { until } from '../support/until.js';

let world: NodeWorld;
beforeEach(() => {
  world = new NodeWorld();
});
afterEach(() => world.dispose());

const all = Uint8Array.of(0xff);
const soon = { timeoutMs: 1 };

/** The feed statements that a recipient was sent, as they travelled. */
async function statements(recipient: string, count = 1): Promise<Uint8Array[]> {
  const feed = () =>
    world.log
      .lanes(`feed.un.${recipient}`)
      .flatMap(({ records }) => records.map((one) => one.value));
  await until(`${count} feed blocks`, () => feed().length === count);
  return feed().map((value) => {
    const block = codec.decode('FeedBlock', value);
    if (!block.ok) throw block.error;
    return block.value.statement;
  });
}

const releaseTo = (member: typeof DE, ...given: readonly Uint8Array[]) =>
  world
    .keyService({ member, service: 'node' })
    .keyRelease({ statements: given.map((statement) => ({ statement, wanted: all })) }, soon);

const destroy = (order: Uint8Array) =>
  world
    .keyService({ member: UN, service: 'revocation' })
    .destroyKeys({ approvals: [], order }, soon);

const orderOf = (n: number, ...ids: readonly ReturnType<typeof eventId>[]) =>
  officerOrder(world.members, { orderId: orderId(n), ids });

const ledger = () => world.records('ledger.un');

function sealOf({ sealRecord }: { readonly sealRecord: Uint8Array }) {
  const signed = codec.decode('Signed', sealRecord);
  const seal = signed.ok ? codec.decode('SealRecord', signed.value.payload) : signed;
  if (!seal.ok) throw seal.error;
  return seal.value;
}

/** The block of a seal, and the orders of its leaves. */
function sealedIn(value: Uint8Array) {
  const record = codec.decode('LedgerRecord', value);
  const signed = record.ok ? codec.decode('Signed', record.value.statement) : record;
  const statement = signed.ok ? codec.decode('LedgerStatement', signed.value.payload) : signed;
  const table = record.ok ? codec.decode('SealTable', record.value.body) : record;
  if (!statement.ok) throw statement.error;
  if (!table.ok) throw table.error;
  return {
    block: bytesKey(statement.value.block.hash),
    orders: table.value.leaves.map((leaf) => leaf.orderId as string),
  };
}

describe('a key', () => {
  test('of another member’s release is refused', async () => {
    await world.start(UN);
    await world.publish(1);
    const [forFr] = await statements('fr');
    const refusal = await refusalOf(releaseTo(DE, forFr ?? new Uint8Array()));
    expect(refusal.code).toBe('NOT_ADDRESSED_HERE');
    expect(ledger()).toHaveLength(1);
  });

  test('is refused to every caller but a node, and destroyed by nobody but the own revocation', async () => {
    await world.start(UN);
    const service = 'system' as const;
    const request = { statements: [] };
    for (const member of [UN, DE]) {
      const client = world.keyService({ member, service });
      expect(await refusalOf(client.keyRelease(request, soon))).toMatchObject({
        code: 'CALLER_NOT_ALLOWED',
      });
      expect(
        await refusalOf(client.destroyKeys({ approvals: [], order: all }, soon)),
      ).toMatchObject({
        code: 'CALLER_NOT_ALLOWED',
      });
    }
    const foreign = world.keyService({ member: DE, service: 'revocation' });
    expect(await refusalOf(foreign.destroyKeys({ approvals: [], order: all }, soon))).toMatchObject(
      {
        code: 'CALLER_NOT_ALLOWED',
      },
    );
  });

  test('leaves only after the broker has acknowledged its ledger record, however often it is asked for', async () => {
    await world.start(UN);
    await world.publish(1);
    const [statement] = await statements('de');
    await until('the publication is on the ledger', () => ledger().length === 1);
    world.log.setReachable(false);
    let answered = 0;
    const ask = () => releaseTo(DE, statement ?? new Uint8Array()).then(() => (answered += 1));
    const both = [ask()];
    await until(
      'the record is committed',
      async () => (await world.status(UN)).ledgerRecords === 2,
    );
    both.push(ask());
    await until('sending was tried twice', () => {
      return world.said.filter(({ text }) => text === 'sending again').length >= 2;
    });
    expect(answered).toBe(0);
    world.log.setReachable(true);
    await Promise.all(both);
    expect(answered).toBe(2);
    expect((await world.status(UN)).ledgerRecords).toBe(2);
    expect(ledger()).toHaveLength(2);
  });

  test('that was recorded before is answered with the old record, byte for byte, also after a restart', async () => {
    await world.start(UN);
    await world.publish(1);
    const [statement = new Uint8Array()] = await statements('de');
    const first = await releaseTo(DE, statement);
    await world.restart(UN);
    const second = await releaseTo(DE, statement, statement);
    expect(second.records).toEqual(first.records);
    expect(second.answers).toHaveLength(2);
    expect(second.answers[0]).toEqual(first.answers[0]);
    expect((await world.status(UN)).ledgerRecords).toBe(2);
  });

  test('is put off for one event and holds up no other', async () => {
    world.aroundKeys = (ask) => async (wanted, signal) => {
      const reply = await ask(wanted, signal);
      const [first, ...others] = reply.answers;
      const late =
        first && !isLate ? [{ ...first, item: { kind: 'later', waitMs: 2_000 } as const }] : [];
      isLate = true;
      return { ...reply, answers: [...late, ...(late.length > 0 ? others : reply.answers)] };
    };
    let isLate = false;
    await world.start(UN, DE);
    await world.publish(1);
    await world.counted(DE, 'keys.later', 1);
    await world.publish(2);
    await world.publish(3);
    await world.readable(DE, 2);
    expect(await world.partner(DE)).toMatchObject({ waiting: 1 });
    await world.readable(DE, 3);
  });

  test.each<[name: string, spoil: (keys: Map<string, Uint8Array>) => void]>([
    ['does not fit the commitment', (keys) => keys.set('identity', new Uint8Array(32))],
    ['is missing', (keys) => keys.delete('identity')],
    ['was not released', (keys) => keys.set('colours', new Uint8Array(32))],
  ])('that %s is not stored', async (_name, spoil) => {
    world.aroundKeys = (ask) => async (wanted, signal) => {
      const reply = await ask(wanted, signal);
      for (const { item } of reply.answers) {
        if (item.kind === 'released') spoil(item.keys as Map<string, Uint8Array>);
      }
      return reply;
    };
    await world.start(UN, FR);
    const { id } = await world.publish(1);
    await world.counted(FR, 'keys.refused.COMMITMENT_MISMATCH', 1);
    expect(await refusalOf(world.open(FR, id))).toMatchObject({ code: 'RELEASE_WITHHELD' });
    // no purge entry will ever be addressed here, so the ciphertext is gone too
    expect(await world.inventory(FR)).toMatchObject({ ciphertexts: [], keys: [] });
  });

  test('that no signed record names is not stored', async () => {
    world.aroundKeys = (ask) => async (wanted, signal) => {
      return { ...(await ask(wanted, signal)), records: [] };
    };
    await world.start(UN, FR);
    await world.publish(1);
    await world.counted(FR, 'keys.refused.COMMITMENT_MISMATCH', 1);
  });

  test('is asked for until the origin’s node is there', async () => {
    await world.start(UN);
    await world.publish(1);
    await statements('de');
    await world.stopNode(UN);
    await world.startNode(DE);
    await until('the event is there', async () => (await world.partner(DE)).waiting === 1);
    expect(await refusalOf(world.open(DE, eventId(1)))).toMatchObject({ code: 'NOT_READABLE_YET' });
    await world.startNode(UN);
    await world.readable(DE, 1);
  });
});

describe('destroyed keys', () => {
  test('are answered by a seal that names the holders, the same bytes each time, also after a restart', async () => {
    await world.start(UN, DE, FR);
    const { id } = await world.publish(1);
    await world.readable(DE, 1);
    await world.readable(FR, 1);
    const order = orderOf(1, id);
    const first = await destroy(order);
    expect(await destroy(order)).toEqual(first);
    await world.restart(UN);
    expect(await destroy(order)).toEqual(first);
    expect(sealOf(first).holders).toEqual([
      { recipient: DE, ids: [id] },
      { recipient: FR, ids: [id] },
    ]);
    expect(await refusalOf(world.open(UN, id))).toMatchObject({ code: 'PURGED' });
    expect(await world.node(UN).operator.holders({ eventId: id }, soon)).toMatchObject({
      sealed: true,
    });
  });

  test('of orders that come together share a seal in their block, and no order answers for another', async () => {
    await world.start(UN, DE);
    // what comes while the first one is sealed shares a block
    const published = await Promise.all([1, 2, 3, 4, 5].map((n) => world.publish(n)));
    await world.readable(DE, 5);
    const ids = published.map(({ id }) => id).sort();
    const [a = eventId(1), b = eventId(2), c = eventId(3), d = eventId(4), e = eventId(5)] = ids;
    await destroy(orderOf(1, a));
    const before = ledger().length;
    const first = orderOf(2, b);
    const orders = [first, orderOf(3, c, d), orderOf(4, b), orderOf(5, a), orderOf(6, eventId(99))];
    const answers = await Promise.all(
      [...orders, first].map((order) => destroy(order).catch(asConcordatError)),
    );
    const seals = answers.map((answer) => ('sealRecord' in answer ? sealOf(answer) : answer));
    expect(answers[5]).toEqual(answers[0]);
    expect(seals).toMatchObject([
      { orderId: orderId(2), ids: [b], holders: [{ recipient: DE, ids: [b] }] },
      { orderId: orderId(3), ids: [c, d], holders: [{ recipient: DE }] },
      { code: 'ORDER_INVALID' },
      { code: 'ORDER_INVALID' },
      { code: 'ORDER_INVALID' },
      { orderId: orderId(2) },
    ]);
    const records = ledger()
      .slice(before)
      .map(({ value }) => sealedIn(value));
    const blocks = new Set(records.map(({ block }) => block));
    expect(records).toHaveLength(blocks.size);
    const leaves = records.flatMap(({ orders }) => orders);
    expect(leaves.sort()).toEqual([orderId(2), orderId(3), orderId(3)].sort());
    expect((await world.status(UN)).ledgerRecords).toBe(before + records.length);
    expect(await world.read(UN, e)).toMatchObject({ secondName: expect.any(String) });
    for (const id of [a, b, c, d]) {
      expect(await refusalOf(world.open(UN, id))).toMatchObject({ code: 'PURGED' });
    }
  });

  test('leave a recipient that had not asked yet a tombstone with the order, no row, and no receipt', async () => {
    await world.start(UN);
    const { id } = await world.publish(1);
    await statements('de');
    await destroy(orderOf(1, id));
    await world.startNode(DE);
    await world.counted(DE, 'keys.shredded', 1);
    expect(await refusalOf(world.open(DE, id))).toMatchObject({ code: 'PURGED' });
    const partner = await world.partner(DE);
    expect(partner).toMatchObject({ waiting: 0, readable: 0, tombstones: 1 });
    expect(world.records('receipts.de.un')).toEqual([]);
    expect(await world.publish(1)).toMatchObject({ repeated: true });
  });

  test('leave nobody a key, also who was recorded already and still waits for the broker', async () => {
    await world.start(UN);
    const { id } = await world.publish(1);
    const [statement = new Uint8Array()] = await statements('de');
    await until('the publication is on the ledger', () => ledger().length === 1);
    world.log.setReachable(false);
    const asked = releaseTo(DE, statement);
    await until(
      'the release is recorded',
      async () => (await world.status(UN)).ledgerRecords === 2,
    );
    const sealed = destroy(orderOf(1, id));
    await until('the seal is recorded', async () => (await world.status(UN)).ledgerRecords === 3);
    world.log.setReachable(true);
    const { answers } = await asked;
    expect(answers).toMatchObject([{ outcome: 'shredded' }]);
    expect(sealOf(await sealed).holders).toEqual([{ recipient: DE, ids: [id] }]);
  });

  test.each<[name: string, code: string, order: () => Uint8Array]>([
    [
      'another member’s officer',
      'SENDER_NOT_TOPIC_OWNER',
      () =>
        officerOrder(
          world.members,
          { orderId: orderId(9), ids: [eventId(1)] },
          { member: DE, role: 'purge-officer' },
        ),
    ],
    [
      'a role that may not order',
      'KEY_ROLE_WRONG',
      () =>
        officerOrder(
          world.members,
          { orderId: orderId(9), ids: [eventId(1)] },
          { member: UN, role: 'consent' },
        ),
    ],
    [
      'a rule that names a person’s reason',
      'ORDER_NOT_AUTHORISED',
      () =>
        officerOrder(
          world.members,
          { orderId: orderId(9), ids: [eventId(1)] },
          { member: UN, role: 'revocation' },
        ),
    ],
    [
      'a person who names a rule’s reason',
      'ORDER_NOT_AUTHORISED',
      () =>
        officerOrder(world.members, {
          orderId: orderId(9),
          ids: [eventId(1)],
          reason: 'retention',
        }),
    ],
    [
      'a rule whose term is not over',
      'ORDER_NOT_AUTHORISED',
      () =>
        officerOrder(
          world.members,
          { orderId: orderId(9), ids: [eventId(1)], reason: 'retention' },
          { member: UN, role: 'revocation' },
        ),
    ],
    [
      'a rule whose successor is none',
      'ORDER_NOT_AUTHORISED',
      () =>
        officerOrder(
          world.members,
          {
            ...{ orderId: orderId(9), ids: [eventId(1)] },
            ...{ reason: 'superseded', supersededBy: eventId(2) },
          },
          { member: UN, role: 'revocation' },
        ),
    ],
    [
      'a rule for reason parent_purged, whose fact is not kept here',
      'ORDER_NOT_AUTHORISED',
      () =>
        officerOrder(
          world.members,
          { orderId: orderId(9), ids: [eventId(1)], reason: 'parent_purged' },
          { member: UN, role: 'revocation' },
        ),
    ],
    [
      'a rule for reason scope_changed that takes back from everybody',
      'ORDER_INVALID',
      () =>
        officerOrder(
          world.members,
          { orderId: orderId(9), ids: [eventId(1)], reason: 'scope_changed' },
          { member: UN, role: 'revocation' },
        ),
    ],
    ['an event that was never published', 'ORDER_INVALID', () => orderOf(9, eventId(99))],
    ['an event twice', 'ORDER_INVALID', () => orderOf(9, eventId(1), eventId(1))],
    ['no event', 'ORDER_INVALID', () => orderOf(9)],
    [
      'a changed byte',
      'RECORD_MALFORMED',
      () => Uint8Array.from(orderOf(9, eventId(1)), (byte, at) => (at === 12 ? byte ^ 1 : byte)),
    ],
  ])('are not destroyed by an order of %s', async (_name, code, order) => {
    await world.start(UN);
    await world.publish(1);
    await world.publish(2);
    expect(await refusalOf(destroy(order()))).toMatchObject({ code });
    expect((await world.status(UN)).ledgerRecords).toBe(2);
    expect(await world.read(UN, eventId(1))).toMatchObject({ secondName: 'Countess Lovelace' });
  });

  test('keep their order: another one of the same id is refused', async () => {
    await world.start(UN);
    const { id } = await world.publish(1);
    const second = await world.publish(2);
    await destroy(orderOf(1, id));
    expect(await refusalOf(destroy(orderOf(1, second.id)))).toMatchObject({
      code: 'ORDER_INVALID',
    });
  });
});
