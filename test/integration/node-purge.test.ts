import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { asConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId } from '@concordat/common/domain/ids.js';
import { verifyStatement } from '@concordat/common/domain/statement.js';
import { codec } from '../support/federation.js';
import { signAs } from '../support/ledger.js';
import { DE, FR, NodeWorld, UN, refusalOf } from '../support/node-world.js';
import { eventId } from '../support/origin.js';
import { until } from '../support/until.js';

let world: NodeWorld;
beforeEach(() => {
  world = new NodeWorld();
});
afterEach(() => world.dispose());

const soon = { timeoutMs: 1 };

function receiptOf(bytes: Uint8Array) {
  const receipt = verifyStatement(codec, world.members.keys, 'Receipt', bytes, { signer: DE });
  if (!receipt.ok) throw receipt.error;
  return receipt.value.value;
}

async function exchange(...numbers: readonly number[]): Promise<EventId[]> {
  await world.start(UN, DE);
  for (const n of numbers) await world.publish(n);
  await world.readable(DE, numbers.length);
  return numbers.map(eventId);
}

/** READ, or the code of the refusal. */
async function outcomeOf(id: EventId): Promise<string> {
  try {
    await world.open(DE, id);
    return 'READ';
  } catch (cause) {
    return asConcordatError(cause).code;
  }
}

const digest = () => world.node(DE).operator.stateDigest({}, soon);
const append = (topic: string, value: Uint8Array) => world.log.append(topic, 0, [{ value }]);

describe('a purge', () => {
  test('leaves no row, no key and no reading, and is answered by a receipt', async () => {
    const [id = eventId(0)] = await exchange(1, 2);
    world.purges.purge(DE, id);
    const [receipt] = await world.receipts(DE, 1);
    expect(receiptOf(receipt ?? new Uint8Array())).toMatchObject({
      ...{ origin: UN, holder: DE, entryNumber: 1, stage: 'DELETED' },
      outcomes: [{ id, outcome: 'DELETED' }],
    });
    expect(await refusalOf(world.open(DE, id))).toMatchObject({ code: 'PURGED' });
    expect(await world.partner(DE)).toMatchObject({ readable: 1, tombstones: 1 });
  });

  test('that comes before its event is remembered: the event is never opened', async () => {
    await world.start(UN, DE);
    world.purges.purge(DE, eventId(1));
    const [receipt] = await world.receipts(DE, 1);
    expect(receiptOf(receipt ?? new Uint8Array()).stage).toBe('NOT_HELD');
    await world.publish(1);
    await world.counted(DE, 'feed.purged', 1);
    expect(await refusalOf(world.open(DE, eventId(1)))).toMatchObject({ code: 'PURGED' });
    expect((await world.status(UN)).released).toEqual({});
  });

  test('that comes twice is answered once, and the answer stays the same, byte for byte', async () => {
    const [id = eventId(0)] = await exchange(1);
    const entry = world.purges.purge(DE, id);
    const first = await world.receipts(DE, 1);
    const before = await digest();
    append('purge.un.de', entry);
    await world.counted(DE, 'purge.duplicate', 1);
    await world.node(DE).operator.rewind({}, soon);
    await world.counted(DE, 'purge.known', 1);
    await world.restart(DE);
    await until('the node is current', async () => (await world.partner(DE)).freshness === 'FRESH');
    expect(await world.receipts(DE, 1)).toEqual(first);
    expect(await digest()).toEqual(before);
  });

  test('of an event that an earlier entry took says that nothing was held', async () => {
    const [id = eventId(0)] = await exchange(1);
    const entries = [world.purges.next(DE, [id]), world.purges.next(DE, [id])];
    world.log.append(
      'purge.un.de',
      0,
      entries.map((value) => ({ value })),
    );
    const receipts = (await world.receipts(DE, 2)).map(receiptOf);
    expect(receipts.map(({ stage }) => stage)).toEqual(['DELETED', 'NOT_HELD']);
  });

  test.each<[name: string, code: string, entry: () => Uint8Array]>([
    [
      'signed by no authority',
      'KEY_ROLE_WRONG',
      () => world.purges.sign(DE, [eventId(1)], {}, { member: UN, role: 'consent' }).bytes,
    ],
    [
      'of another origin',
      'SENDER_NOT_TOPIC_OWNER',
      () => world.purges.sign(DE, [eventId(1)], {}, { member: FR, role: 'revocation' }).bytes,
    ],
    [
      'of another origin that claims to be this one',
      'SENDER_NOT_TOPIC_OWNER',
      () =>
        world.purges.sign(DE, [eventId(1)], { origin: FR }, { member: UN, role: 'revocation' })
          .bytes,
    ],
    ['for another member', 'NOT_ADDRESSED_HERE', () => world.purges.sign(FR, [eventId(1)]).bytes],
    [
      'whose signature is of another one',
      'SIGNATURE_INVALID',
      () => {
        const signed = codec.decode('Signed', world.purges.sign(DE, [eventId(1)]).bytes);
        const other = codec.decode('Signed', world.purges.sign(DE, [eventId(2)]).bytes);
        if (!signed.ok || !other.ok) throw new Error('signed just now');
        return codec.encode('Signed', { ...signed.value, signature: other.value.signature });
      },
    ],
    [
      'that does not follow the one before',
      'CHAIN_BROKEN',
      () =>
        world.purges.sign(DE, [eventId(1)], { previous: new Uint8Array(32).fill(1) as never })
          .bytes,
    ],
    ['that is no record', 'RECORD_MALFORMED', () => Uint8Array.of(1, 2, 3)],
  ])('%s is refused as %s, and nothing but a counter moves', async (_name, code, entry) => {
    const [id = eventId(0), second = eventId(0)] = await exchange(1, 2);
    const before = await digest();
    append('purge.un.de', entry());
    await world.counted(DE, `quarantined.${code}`, 1);
    expect(await digest()).toEqual(before);
    const { items } = await world.node(DE).quarantine.list({}, soon);
    expect(items).toMatchObject([{ source: 'purge.un.de/0/0', code }]);
    expect(await world.read(DE, id)).toBeDefined();
    // the line goes on
    world.purges.purge(DE, second);
    await world.receipts(DE, 1);
  });

  test('of another number’s second text is kept as evidence and changes nothing', async () => {
    const [, second = eventId(0)] = await exchange(1, 2);
    const forged = world.purges.sign(DE, [second]).bytes;
    world.purges.purge(DE, eventId(1));
    await world.receipts(DE, 1);
    const before = await digest();
    append('purge.un.de', forged);
    await world.counted(DE, 'quarantined.EQUIVOCATION', 1);
    expect(await digest()).toEqual(before);
  });

  test('of ten events in a stream of others is told to subscribers, who go on with the next', async () => {
    const ids = await exchange(...Array.from({ length: 12 }, (_, n) => n));
    const told: string[] = [];
    const stop = new AbortController();
    const stream = world.node(DE).national.subscribe(
      {
        purpose: 'screening',
        caseId: 'case-1',
        category: '',
        includeHeld: true,
        cursor: '',
        systemId: '',
      },
      { timeoutMs: 1, signal: stop.signal },
    );
    const listening = (async () => {
      for await (const { kind, eventId: id } of stream) told.push(`${kind} ${id}`);
    })();
    await until('held events are told', () => told.length === 12);
    world.purges.purge(DE, ...ids.slice(1, 11));
    await until('withdrawals are told', () => told.length === 22);
    await world.publish(50);
    await until('the next one is told', () => told.length === 23);
    stop.abort();
    await listening;
    expect(told.slice(12, 22)).toEqual(ids.slice(1, 11).map((id) => `WITHDRAWN ${id}`));
    expect(told.at(-1)).toBe(`READABLE ${eventId(50)}`);
    const outcomes: string[] = [];
    for (const id of ids) outcomes.push(await outcomeOf(id));
    expect(outcomes).toEqual(['READ', ...Array<string>(10).fill('PURGED'), 'READ']);
    const { readings } = await world.node(DE).operator.listReadings({}, soon);
    expect(readings.map(({ outcome }) => outcome).reverse()).toEqual(outcomes);
  });
});

describe('a gap in the purge ledger', () => {
  test('stops its lane, is named and stops reading at once, also after a restart, until it is filled', async () => {
    const [first = eventId(0), second = eventId(0), third = eventId(0)] = await exchange(1, 2, 3);
    world.cutLedger();
    const missing = world.purges.next(DE, [first]);
    world.purges.purge(DE, second);
    await until('the gap is named', async () => (await world.partner(DE)).gaps.length === 1);
    const [gap] = (await world.partner(DE)).gaps;
    expect(gap).toMatch(/^purge\.un\.de: missing 1 to 1/);
    expect(await refusalOf(world.open(DE, third))).toMatchObject({ code: 'BEHIND' });
    expect(world.records('receipts.de.un')).toEqual([]);
    await world.restart(DE);
    await until('the gap is named again', async () => (await world.partner(DE)).gaps.length === 1);
    expect(await refusalOf(world.open(DE, third))).toMatchObject({ code: 'BEHIND' });
    expect(world.records('receipts.de.un')).toEqual([]);
    append('purge.un.de', missing);
    expect(await world.receipts(DE, 2)).toHaveLength(2);
    expect((await world.partner(DE)).gaps).toEqual([]);
    expect(await world.read(DE, third)).toBeDefined();
  });

  test('of one origin does not stop its feed', async () => {
    await exchange(1);
    world.cutLedger();
    world.purges.next(DE, [eventId(5)]);
    world.purges.purge(DE, eventId(6));
    await until('the gap is named', async () => (await world.partner(DE)).gaps.length === 1);
    await world.publish(2);
    await world.readable(DE, 2);
  });
});

describe('freshness', () => {
  test('without an answer since the start nothing is read', async () => {
    world.purges.isUp = false;
    await world.start(UN, DE);
    await world.publish(1);
    await world.readable(DE, 1);
    expect(await refusalOf(world.open(DE, eventId(1)))).toMatchObject({
      code: 'NOT_FRESH',
      retryable: true,
    });
    world.purges.isUp = true;
    expect(await world.read(DE, eventId(1))).toBeDefined();
  });

  test('behind the newest head nothing is read; when the entry comes within a second, the reader waits', async () => {
    const [id = eventId(0), other = eventId(0)] = await exchange(1, 2);
    world.cutLedger();
    const entry = world.purges.next(DE, [id]);
    await until('the head is known', async () => (await world.partner(DE)).freshness === 'BEHIND');
    expect(await refusalOf(world.open(DE, other))).toMatchObject({ code: 'BEHIND' });
    const reading = world.read(DE, other);
    append('purge.un.de', entry);
    expect(await reading).toBeDefined();
  });

  test.each<[name: string, answer: (nonce: Uint8Array) => Uint8Array]>([
    [
      'to another nonce',
      (nonce) =>
        world.purges.answer(
          DE,
          nonce.map((byte) => byte ^ 1),
        ),
    ],
    ['to another member', (nonce) => world.purges.answer(FR, nonce)],
    [
      'signed by another role',
      (nonce) => {
        const signed = codec.decode('Signed', world.purges.answer(DE, nonce));
        const value = signed.ok && codec.decode('FreshnessAnswer', signed.value.payload);
        if (!value || !value.ok) throw new Error('signed just now');
        const who = { member: UN, role: 'node' } as const;
        return signAs(world.members, who, 'FreshnessAnswer', value.value).bytes;
      },
    ],
    ['of no bytes', () => new Uint8Array()],
  ])('an answer %s is none', async (_name, answer) => {
    world.answerNonce = (_recipient, nonce) => answer(nonce);
    await world.start(UN, DE);
    await world.publish(1);
    await world.readable(DE, 1);
    expect(await refusalOf(world.open(DE, eventId(1)))).toMatchObject({ code: 'NOT_FRESH' });
  });

  test('an answer that names another entry than was read here is none', async () => {
    const [id = eventId(0)] = await exchange(1);
    world.purges.purge(DE, id);
    await world.receipts(DE, 1);
    world.answerNonce = (recipient, nonce) => {
      const signed = codec.decode('Signed', world.purges.answer(recipient, nonce));
      const value = signed.ok && codec.decode('FreshnessAnswer', signed.value.payload);
      if (!value || !value.ok) throw new Error('signed just now');
      const other = { ...value.value, headHash: new Uint8Array(32).fill(7) as never };
      return signAs(world.members, { member: UN, role: 'revocation' }, 'FreshnessAnswer', other)
        .bytes;
    };
    await world.restart(DE);
    await until('it is refused', () => {
      return world.said.some(({ fields }) => fields.code === 'EQUIVOCATION');
    });
    expect((await world.partner(DE)).freshness).toBe('NOT_FRESH');
  });
});
