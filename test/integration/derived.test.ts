import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { trustJson } from '@concordat/common/domain/federation.js';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import { verifyStatement } from '@concordat/common/domain/statement.js';
import { receiptsTopic } from '@concordat/common/domain/topics.js';
import { DerivationService } from '@concordat/common/io/rpc/definitions.js';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { codec, memberOf, schemasDir } from '../support/federation.js';
import '../support/long-timeout.js';
import { refusalOf } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import { OriginsWorld } from '../support/origins-world.js';
import { exitOfPython } from '../support/python.js';
import { until } from '../support/until.js';

const UN = memberOf('un');
const DE = memberOf('de');
const FR = memberOf('fr');
const soon = { timeoutMs: 1 };
const world = new OriginsWorld(['un', 'de', 'fr'], ['fr>un']);
let next = 0;
beforeAll(() => world.start());
beforeEach(() => {
  world.beforeGrantAnswer = () => Promise.resolve();
});
afterAll(() => world.dispose());

type Parent = { readonly origin: MemberId; readonly id: EventId };

/** Published by `member`, and read by `readers`. */
async function shared(
  member: MemberId,
  readers: readonly MemberId[],
  parents: readonly Parent[] = [],
): Promise<EventId> {
  next += 1;
  const id = await world.publish(member, next, parents);
  for (const reader of readers) await world.readable(reader, member, id);
  return id;
}

async function publishRefusal(member: MemberId, parents: readonly Parent[]) {
  next += 1;
  const { code, message } = await refusalOf(world.publish(member, next, parents));
  return { code, message, id: eventId(next) };
}

async function stateOf(member: MemberId, origin: MemberId, id: EventId): Promise<string> {
  return (await world.operator(member).show({ origin, eventId: id }, soon)).state;
}

const grantOf = (holder: MemberId, parents: readonly EventId[]) =>
  world
    .client(DerivationService, UN, 'node', { member: holder, service: 'node' })
    .grantDerivation({ child: eventId(4_000), parents: [...parents] }, soon);

/** What `holder` signed for `un` about this event: outcomes and children, receipt by receipt. */
function answersOf(holder: MemberId, id: EventId) {
  const topic = receiptsTopic({ origin: UN, recipient: holder });
  return world.log.lane(topic, 0).records.flatMap(({ value }) => {
    const receipt = verifyStatement(codec, world.members.keys, 'Receipt', value, {
      signer: holder,
    });
    if (!receipt.ok) return [];
    const { outcomes, children } = receipt.value.value;
    const own = outcomes.find((one) => one.id === id);
    return own
      ? [{ outcome: own.outcome, children: children.filter(({ parent }) => parent === id) }]
      : [];
  });
}

/** The verdict of the program that was written from docs/certificate.md alone. */
async function verdictOf(text: string): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'derived-'));
  const put = (name: string, content: string): string => {
    writeFileSync(join(dir, name), content);
    return join(dir, name);
  };
  const trust = put('trust.json', JSON.stringify(trustJson(world.federation)));
  const files = [schemasDir, trust, put('certificate.json', text)];
  const { stdout } = await exitOfPython('verify_certificate.py', files);
  rmSync(dir, { recursive: true });
  return stdout.trim();
}

describe('what is derived', () => {
  test('goes with its parent over two levels, and the proof is a tree that both verifiers call complete', async () => {
    const parent = await shared(UN, [DE, FR]);
    const child = await shared(DE, [FR], [{ origin: UN, id: parent }]);
    const grandchild = await shared(FR, [UN], [{ origin: DE, id: child }]);
    const order = await world.order(UN, [parent]);
    await world.closed(UN, order);
    const { text, purge } = await world.certificate(UN, order);
    expect(purge.missing).toEqual([]);
    const [made] = purge.holders.find(({ recipient }) => recipient === DE)?.children ?? [];
    expect(made?.order.value).toMatchObject({
      ...{ reason: 'parent_purged', ids: [child] },
      cause: { origin: 'un', orderId: order, parents: [parent] },
    });
    const [further] = made?.holders.find(({ recipient }) => recipient === FR)?.children ?? [];
    expect(further?.order.value).toMatchObject({ ids: [grandchild], cause: { origin: 'de' } });
    expect(await verdictOf(text)).toBe('complete');
    expect(answersOf(DE, parent).map(({ outcome }) => outcome)).toEqual([
      'CHILDREN_OPEN',
      'DELETED',
    ]);
    const { receipts } = await world.purges(UN).receipts({ orderId: order }, soon);
    const said = receipts.filter(({ member }) => member === DE);
    const named = { parentId: parent, eventId: child };
    expect(said.map(({ stage, children }) => [stage, children])).toEqual([
      ['OPEN', [{ ...named, orderId: '', state: 'OPEN' }]],
      ['DELETED', [{ ...named, orderId: made?.order.value.orderId, state: 'PURGED' }]],
    ]);
    expect(await stateOf(DE, DE, child)).toBe('PURGED');
    expect(await stateOf(UN, FR, grandchild)).toBe('PURGED');
  });

  test('goes with an event of our own that it comes from by another of our own', async () => {
    const parent = await shared(UN, [DE]);
    const first = await shared(DE, [], [{ origin: UN, id: parent }]);
    const second = await shared(DE, [], [{ origin: DE, id: first }]);
    const order = await world.order(UN, [parent]);
    await world.closed(UN, order);
    expect(
      answersOf(DE, parent)
        .at(-1)
        ?.children.map(({ id }) => id),
    ).toEqual([first, second]);
    expect(await stateOf(DE, DE, second)).toBe('PURGED');
  });

  test('is not purged twice: an order of before is named', async () => {
    const parent = await shared(UN, [DE]);
    const child = await shared(DE, [], [{ origin: UN, id: parent }]);
    await world.closed(DE, await world.order(DE, [child]));
    const order = await world.order(UN, [parent]);
    await world.closed(UN, order);
    const { text, purge } = await world.certificate(UN, order);
    expect(purge.holders.flatMap(({ children }) => children)).toMatchObject([
      { order: { value: { reason: 'delisted', ids: [child] } } },
    ]);
    expect(await verdictOf(text)).toBe('complete');
  });

  test('is named as missing while its deriver is silent, and found again after the loss of its state', async () => {
    next += 1;
    const parent = await world.publish(UN, next, [], {
      audience: { byAgreement: false, members: ['de'] },
    });
    await world.readable(DE, UN, parent);
    const child = await shared(DE, [], [{ origin: UN, id: parent }]);
    await world.stop(DE, 'revocation');
    await world.stop(DE, 'node');
    const order = await world.order(UN, [parent]);
    await until('entries', async () => {
      return (await world.purges(UN).status({ orderId: order }, soon)).state === 'APPENDED';
    });
    const silent = await world.certificate(UN, order, true);
    expect(silent.purge.missing).toMatchObject([{ recipient: 'de', why: 'silent' }]);
    for (const end of ['', '-wal', '-shm']) {
      rmSync(join(world.dataDir(DE, 'node'), `state.db${end}`), { force: true });
    }
    await world.startNode(DE);
    await until('an open receipt', () => answersOf(DE, parent).length > 0, 60_000);
    await until('which un has read', async () => {
      const { purge } = await world.certificate(UN, order, true);
      return purge.missing[0]?.why === 'children';
    });
    await world.startRevocation(DE);
    await world.closed(UN, order);
    expect(await stateOf(DE, DE, child)).toBe('PURGED');
  });
});

describe('a derivation is refused', () => {
  test('from what was never given, is taken back or may not be carried on', async () => {
    const gone = await shared(UN, [DE]);
    next += 1;
    const kept = await world.publish(UN, next, [], {
      audience: { byAgreement: false, members: ['fr'] },
    });
    const closed = await shared(FR, [UN]);
    await world.closed(UN, await world.order(UN, [gone]));
    expect(await refusalOf(grantOf(DE, [gone]))).toMatchObject({ code: 'DERIVATION_REFUSED' });
    expect(await refusalOf(grantOf(DE, [kept]))).toMatchObject({ code: 'EVENT_UNKNOWN' });
    const [refused, ruled, unheld] = [
      await publishRefusal(DE, [{ origin: UN, id: gone }]),
      await publishRefusal(UN, [{ origin: FR, id: closed }]),
      await publishRefusal(DE, [{ origin: UN, id: kept }]),
    ];
    expect(refused.code).toBe('DERIVATION_REFUSED');
    expect(ruled).toMatchObject({
      code: 'DERIVATION_REFUSED',
      message: expect.stringContaining('r-fr-un'),
    });
    expect(unheld.code).toBe('EVENT_UNKNOWN');
  });

  test('when its parent is taken back after the grant: nothing is published, and it is answered as never made', async () => {
    const parent = await shared(UN, [DE]);
    let order = '';
    world.beforeGrantAnswer = async () => {
      order = await world.order(UN, [parent]);
      await until('the purge is answered', () => answersOf(DE, parent).length > 0, 60_000);
    };
    const refused = await publishRefusal(DE, [{ origin: UN, id: parent }]);
    expect(refused.code).toBe('DERIVATION_REFUSED');
    await world.closed(UN, order);
    const { text, purge } = await world.certificate(UN, order);
    expect(purge.seal.value.grants).toEqual([
      { holder: 'de', parent, childOrigin: 'de', child: refused.id },
    ]);
    expect(answersOf(DE, parent).at(-1)?.children).toMatchObject([
      { id: refused.id, orderId: null, certificateHash: null },
    ]);
    const { receipts } = await world.purges(UN).receipts({ orderId: order }, soon);
    expect(receipts.findLast(({ member }) => member === DE)?.children).toMatchObject([
      { orderId: '', state: 'NEVER_MADE' },
    ]);
    expect(await verdictOf(text)).toBe('complete');
  });

  test('is asked for again with the same answer', async () => {
    const parent = await shared(UN, [DE]);
    const [once, again] = [await grantOf(DE, [parent]), await grantOf(DE, [parent])];
    expect(again.grants).toEqual(once.grants);
  });
});
