import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { asConcordatError } from '@concordat/common/domain/errors.js';
import { verifyCertificate } from '@concordat/common/domain/certificate/verify-certificate.js';
import type { EventId, MemberId } from '@concordat/common/domain/ids.js';
import type { PurgeOrder } from '@concordat/common/domain/records.js';
import { verifyStatement } from '@concordat/common/domain/statement.js';
import { certified } from '../support/certificate.js';
import { codec } from '../support/federation.js';
import { officerOrder, orderId } from '../support/ledger.js';
import { copyStore, lose, putBack } from '../support/losses.js';
import { DE, FR, NodeWorld, UN, refusalOf, rule } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import { until } from '../support/until.js';

const SECTIONS = ['addresses', 'aliases', 'documents', 'identity', 'listing', 'remarks'];
const soon = { timeoutMs: 1 };
let world: NodeWorld;
let orders = 0;
beforeEach(() => {
  orders = 0;
  world = new NodeWorld([rule('r-de', DE, ['**'], ['*']), rule('r-fr', FR, ['**'], ['*'])]);
});
afterEach(() => world.dispose());

type Change = Partial<Pick<PurgeOrder, 'recipients' | 'sections' | 'reason'>>;

const orderOf = (ids: readonly EventId[], change: Change) => {
  orders += 1;
  return officerOrder(world.members, { orderId: orderId(orders), ids, ...change });
};
const send = (order: Uint8Array) =>
  world
    .keyService({ member: UN, service: 'revocation' })
    .destroyKeys({ order, approvals: [] }, soon);

async function destroy(ids: readonly EventId[], cover: Change) {
  const order = orderOf(ids, cover);
  return { order, ...(await send(order)) };
}

function sealIn(bytes: Uint8Array) {
  const seal = verifyStatement(codec, world.members.keys, 'SealRecord', bytes, { signer: UN });
  if (!seal.ok) throw seal.error;
  return seal.value.value;
}

/** The entry of a narrower cover, on the purge ledger of this member. */
function enter(member: MemberId, ids: readonly EventId[], sections: readonly string[]): void {
  const value = world.purges.next(member, ids, { sections, recipientsAll: true });
  world.log.append(`purge.un.${member}`, 0, [{ value }]);
}

async function stages(member: MemberId, count: number): Promise<string[]> {
  return (await world.receipts(member, count)).map((bytes) => {
    const signer = { signer: member };
    const receipt = verifyStatement(codec, world.members.keys, 'Receipt', bytes, signer);
    if (!receipt.ok) throw receipt.error;
    return receipt.value.value.stage;
  });
}

async function exchange(...members: readonly MemberId[]): Promise<EventId> {
  await world.start(UN, ...members);
  await world.publish(1);
  for (const member of members) await world.readable(member, 1);
  return eventId(1);
}

/** Names of the sections that are read, or the code of the refusal. */
async function outcome(member: MemberId, id: EventId): Promise<string> {
  try {
    return (await sectionsOf(member, id)).join(' ');
  } catch (cause) {
    return asConcordatError(cause).code;
  }
}

async function sectionsOf(member: MemberId, id: EventId): Promise<string[]> {
  const { sections } = await world.open(member, id);
  return sections.map(({ name }) => name).sort();
}

const ALL = SECTIONS.join(' ');
const NO_REMARKS = SECTIONS.filter((name) => name !== 'remarks').join(' ');

describe('a section that is taken back', () => {
  test('is gone at every holder; the rest is read on there, and all of it at the origin', async () => {
    const id = await exchange(DE, FR);
    const { sealRecord } = await destroy([id], { sections: ['remarks'] });
    const { holders, seals } = sealIn(sealRecord);
    expect(holders).toEqual([DE, FR].map((recipient) => ({ recipient, ids: [id] })));
    expect(seals).toHaveLength(1);
    enter(DE, [id], ['remarks']);
    expect(await stages(DE, 1)).toEqual(['DELETED']);
    expect(await outcome(DE, id)).toBe(NO_REMARKS);
    expect(await outcome(UN, id)).toBe(ALL);
    await world.restart(DE);
    await until('de reads on', async () => (await outcome(DE, id)) === NO_REMARKS);
    // nothing of it was held any more
    enter(DE, [id], ['remarks']);
    expect(await stages(DE, 2)).toEqual(['DELETED', 'NOT_HELD']);
  });

  test('is gone with the whole event when nothing else was held', async () => {
    const id = await exchange(DE);
    enter(DE, [id], SECTIONS);
    expect(await stages(DE, 1)).toEqual(['DELETED']);
    expect(await outcome(DE, id)).toBe('PURGED');
    const { rows, keys } = await world.inventory(DE);
    expect({ rows, keys }).toEqual({ rows: [], keys: [] });
  });

  test('that is taken before the event comes is never opened', async () => {
    await world.start(UN, DE);
    enter(DE, [eventId(1)], ['remarks']);
    expect(await stages(DE, 1)).toEqual(['NOT_HELD']);
    await world.publish(1);
    await world.readable(DE, 1);
    expect(await outcome(DE, eventId(1))).toBe(NO_REMARKS);
  });

  test('gives no key to who asks later: the others go on, and the seal proves it', async () => {
    await world.start(UN);
    await world.publish(1);
    const { sealRecord } = await destroy([eventId(1)], { sections: ['remarks'] });
    expect(sealIn(sealRecord).holders).toEqual([]);
    await world.startNode(DE);
    await world.readable(DE, 1);
    expect(await outcome(DE, eventId(1))).toBe(NO_REMARKS);
    // the ledger names what was given, so a later order finds it
    const later = await destroy([eventId(1)], { sections: ['remarks'], recipients: [DE] });
    expect(sealIn(later.sealRecord).holders).toEqual([]);
    const whole = await destroy([eventId(1)], {});
    expect(sealIn(whole.sealRecord).holders).toEqual([{ recipient: DE, ids: [eventId(1)] }]);
  });

  test('waits for the copy systems, which are told of what is left afterwards', async () => {
    const id = await exchange(DE);
    const { national } = world.node(DE);
    await national.registerSystem({ systemId: 'border-db', kind: 'copy' }, soon);
    enter(DE, [id], ['remarks']);
    await until('it is withdrawn', async () => (await outcome(DE, id)) === NO_REMARKS);
    const { systems } = await national.listSystems({}, soon);
    expect(systems).toMatchObject([{ systemId: 'border-db', outstanding: 1 }]);
    expect(await stages(DE, 1)).toEqual(['OPEN']);
    const withdrawn = [{ origin: UN, eventId: id }];
    await national.acknowledge({ systemId: 'border-db', cursor: '', withdrawn }, soon);
    expect(await stages(DE, 2)).toEqual(['OPEN', 'DELETED']);
    const told: string[] = [];
    const stop = new AbortController();
    const about = { purpose: 'screening', caseId: 'case-1', category: '', cursor: '' };
    const stream = national.subscribe(
      { ...about, includeHeld: true, systemId: 'border-db' },
      { timeoutMs: 1, signal: stop.signal },
    );
    for await (const { kind } of stream) {
      told.push(kind);
      if (kind === 'READABLE') break;
    }
    stop.abort();
    expect(told).toEqual(['READABLE']);
  });

  test('stays gone when an earlier copy of the stores comes back', async () => {
    const id = await exchange(DE);
    const { dataDir } = world.node(DE);
    await world.stopNode(DE);
    for (const store of ['data', 'vault'] as const)
      copyStore(dataDir, store, join(world.dir, store));
    await world.startNode(DE);
    enter(DE, [id], ['remarks']);
    await world.receipts(DE, 1);
    await world.stopNode(DE);
    for (const store of ['data', 'vault'] as const) putBack(dataDir, store, join(world.dir, store));
    await world.startNode(DE);
    await until('de reads on', async () => (await outcome(DE, id)) === NO_REMARKS);
  });
});

describe('one recipient from whom an event is taken back', () => {
  test('is the only holder, and gets no key any more; the others keep theirs, and the origin its own', async () => {
    const id = await exchange(DE, FR);
    const { order, ...answer } = await destroy([id], { recipients: [DE] });
    expect(sealIn(answer.sealRecord).holders).toEqual([{ recipient: DE, ids: [id] }]);
    // its own keys are lost, so it asks once more: by the seal it learns that it may not have them
    const { dataDir } = world.node(DE);
    await world.stopNode(DE);
    lose(dataDir, 'vault');
    await world.startNode(DE);
    await until('de is told', async () => (await outcome(DE, id)) === 'PURGED');
    expect([await outcome(FR, id), await outcome(UN, id)]).toEqual([ALL, ALL]);
    const records = world.records('ledger.un').map(({ value }) => value);
    const story = certified(world.members, records, order, answer);
    const verdict = verifyCertificate(codec, world.members.keys, story.certificate);
    expect(verdict).toMatchObject({ ok: true, value: { missing: [] } });
  });

  test('stays blocked after a loss of the state, and the order is answered as before', async () => {
    await world.start(UN);
    await world.publish(1);
    const { order, sealRecord } = await destroy([eventId(1)], { recipients: [DE, FR] });
    expect(sealIn(sealRecord).seals).toHaveLength(2);
    const { dataDir } = world.node(UN);
    await world.stopNode(UN);
    lose(dataDir, 'state');
    await world.startNode(UN);
    expect((await send(order)).sealRecord).toEqual(sealRecord);
    await world.startNode(DE);
    await until('de is told', async () => (await outcome(DE, eventId(1))) === 'PURGED');
    expect(await outcome(UN, eventId(1))).toBe(ALL);
  });

  test('and the whole event in the same moment: both are sealed, and both certificates hold', async () => {
    const id = await exchange(DE, FR);
    const narrow = orderOf([id], { recipients: [DE], sections: ['remarks'] });
    const whole = orderOf([id], {});
    const answers = await Promise.all([send(whole), send(narrow)]);
    const records = world.records('ledger.un').map(({ value }) => value);
    const missing = [whole, narrow].map((order, at) => {
      const answer = answers[at];
      if (!answer) throw new Error('two answers');
      const { certificate } = certified(world.members, records, order, answer);
      const verdict = verifyCertificate(codec, world.members.keys, certificate);
      return verdict.ok ? verdict.value.holders.map(({ recipient }) => recipient) : verdict.error;
    });
    expect(missing).toEqual([[DE, FR], [DE]]);
  });
});

test.each<[name: string, change: Change, code: string, text: RegExp]>([
  [
    'a section that the event lacks',
    { sections: ['photos'] },
    'ORDER_INVALID',
    /every ordered event has, came photos/,
  ],
  ['a section twice', { sections: ['remarks', 'remarks'] }, 'ORDER_INVALID', /each section once/],
  ['no name', { sections: ['Remarks!'] }, 'ORDER_INVALID', /names of sections/],
  [
    'the origin itself',
    { recipients: [UN] },
    'ORDER_INVALID',
    /other members as recipients, came un/,
  ],
  ['a recipient twice', { recipients: [DE, DE] }, 'ORDER_INVALID', /each recipient once/],
])('a cover with %s is refused, and nothing is sealed', async (_name, change, code, text) => {
  await world.start(UN);
  await world.publish(1);
  const before = world.records('ledger.un').length;
  const refusal = await refusalOf(destroy([eventId(1)], change));
  expect(refusal).toMatchObject({ code, message: expect.stringMatching(text) });
  expect(world.records('ledger.un')).toHaveLength(before);
});

test('what is purged everywhere has no narrower cover left', async () => {
  await world.start(UN);
  await world.publish(1);
  await destroy([eventId(1)], {});
  const refusal = await refusalOf(destroy([eventId(1)], { recipients: [DE] }));
  expect(refusal).toMatchObject({ code: 'ORDER_INVALID', message: /purged already/ });
});
