import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { equalBytes } from '@concordat/common/domain/bytes.js';
import { type MemberId, type OrderId, asUnixMs } from '@concordat/common/domain/ids.js';
import type { Receipt } from '@concordat/common/domain/records.js';
import { SUITE, payloadType, verifyStatement } from '@concordat/common/domain/statement.js';
import { codec } from '../../../test/support/federation.js';
import { TestHolder } from '../../../test/support/holder.js';
import { TestLedger, orderId, signAs } from '../../../test/support/ledger.js';
import { NOW, eventId } from '../../../test/support/origin.js';
import { DE, FR, NL, RevocationWorld, UN, codeOf } from '../../../test/support/revocation.js';
import '../../../test/support/long-timeout.js';
import { until } from '../../../test/support/until.js';

const [A, B, C] = [eventId(1), eventId(2), eventId(3)];
const ORDER = orderId(1);
const NODE_OF_DE = { member: DE, role: 'node' } as const;

let world: RevocationWorld;
beforeEach(() => {
  world = new RevocationWorld();
});
afterEach(() => world.dispose());

/** An order about A and B that waits for de (both) and fr (A). */
async function waiting(): Promise<void> {
  world.ledger.publish({ id: A }, { id: B });
  world.ledger.release(DE, A, B);
  world.ledger.release(FR, A);
  await world.start();
  await world.published(2);
  await world.order({ orderId: ORDER, ids: [A, B] });
  await until('entries are sent', () =>
    [DE, FR].every((member) => world.entriesFor(member).length === 1),
  );
}

function entryFor(member: MemberId) {
  const [bytes] = world.entriesFor(member);
  if (!bytes) throw new Error('no entry');
  return world.holder(member).readEntry(bytes);
}

/** What de would answer first, before it is signed. */
function receiptOf(member: MemberId): Receipt {
  return new TestHolder(world.federation, member).next(entryFor(member)).value;
}

async function stateOf(member: MemberId): Promise<string | undefined> {
  const { holders } = await world.status(ORDER);
  return holders.find((holder) => holder.member === member)?.state;
}

describe('a receipt', () => {
  test('that comes again, byte for byte, is a duplicate', async () => {
    await waiting();
    world.answer(DE);
    world.answer(DE);
    await world.counted('duplicates.receipts.de.un', 1);
    expect(await stateOf(DE)).toBe('DELETED');
    world.answer(FR);
    await world.reaches(ORDER, 'CLOSED');
  });

  const other = orderId(2);
  test.each<[name: string, change: () => Partial<Receipt>]>([
    ['for another order', () => ({ orderId: other })],
    ['for an entry that was never made', () => ({ entryNumber: 7 })],
    ['for an entry with other contents', () => ({ entryHash: entryFor(FR).hash })],
    ['that leaves an event out', () => ({ outcomes: [{ id: A, outcome: 'DELETED' }] })],
    [
      'about an event that was not ordered',
      () => ({ outcomes: [A, B, C].map((id) => ({ id, outcome: 'DELETED' as const })) }),
    ],
    [
      'about one event twice in the place of another',
      () => ({ outcomes: [A, A].map((id) => ({ id, outcome: 'DELETED' as const })) }),
    ],
    [
      'about one event twice beside all others',
      () => ({ outcomes: [A, B, A].map((id) => ({ id, outcome: 'DELETED' as const })) }),
    ],
    ['whose stage is not its outcomes', () => ({ stage: 'NOT_HELD' })],
  ])('%s is kept as RECEIPT_INVALID, and the holder stays open', async (_name, change) => {
    await waiting();
    const holder = world.holder(DE);
    world.receipt(DE, holder.next(entryFor(DE), { change: change() }).bytes);
    await world.counted('quarantined.RECEIPT_INVALID', 1);
    expect(await stateOf(DE)).toBe('APPENDED');
    world.answer(DE);
    world.answer(FR);
    await world.reaches(ORDER, 'CLOSED');
  });

  test('second and different for the same entry and stage is evidence (S13)', async () => {
    await waiting();
    const holder = world.holder(DE);
    world.receipt(DE, holder.next(entryFor(DE)).bytes);
    world.receipt(DE, holder.next(entryFor(DE)).bytes);
    await world.counted('quarantined.EQUIVOCATION', 1);
    expect(await stateOf(DE)).toBe('DELETED');
  });

  test('that takes an answer back is refused: the first one was final', async () => {
    await waiting();
    const holder = world.holder(DE);
    world.receipt(DE, holder.next(entryFor(DE), { outcome: 'NOT_HELD' }).bytes);
    world.receipt(DE, holder.next(entryFor(DE), { outcome: 'DELETED' }).bytes);
    await world.counted('quarantined.RECEIPT_INVALID', 1);
    expect(await stateOf(DE)).toBe('NOT_HELD');
  });

  describe('of two stages', () => {
    const SYSTEMS = [
      { id: A, outcome: 'SYSTEMS_OPEN' as const },
      { id: B, outcome: 'DELETED' as const },
    ];
    const open = () => world.holder(DE).next(entryFor(DE), { outcomes: SYSTEMS });
    const final = (opened: Receipt['opened'], change: Partial<Receipt> = {}) =>
      world.holder(DE).next(entryFor(DE), { change: { opened, ...change } }).bytes;

    test('is open first, which closes nothing and ends the silence, and final later', async () => {
      await waiting();
      world.answer(FR);
      const { bytes, hash } = open();
      world.receipt(DE, bytes, bytes);
      await world.counted('duplicates.receipts.de.un', 1);
      const { state, holders } = await world.status(ORDER);
      expect(state).toBe('APPENDED');
      expect(holders[0]).toMatchObject({ member: 'de', state: 'OPEN', systemsOpen: 1, held: 0 });
      const before = world.read(await world.certificate(ORDER, { evenIncomplete: true }));
      expect(before.purge.missing).toMatchObject([{ recipient: DE, why: 'systems' }]);
      world.receipt(DE, final(hash));
      await world.reaches(ORDER, 'CLOSED');
      expect(await stateOf(DE)).toBe('DELETED');
      const { certificate, purge } = world.read(await world.certificate(ORDER));
      expect(purge.missing).toEqual([]);
      expect(certificate.holders[0]?.receipts).toHaveLength(2);
    });

    test.each<[string, (hash: Receipt['opened']) => Uint8Array]>([
      ['does not name the open one', () => final(null)],
      ['names another one', () => final(entryFor(FR).hash)],
      [
        'takes back what was deleted',
        (opened) => {
          const outcomes = [
            { id: A, outcome: 'DELETED' as const },
            { id: B, outcome: 'NOT_HELD' as const },
          ];
          return final(opened, { outcomes });
        },
      ],
      [
        'calls not held what was open',
        (opened) => {
          const outcomes = [
            { id: A, outcome: 'NOT_HELD' as const },
            { id: B, outcome: 'DELETED' as const },
          ];
          return final(opened, { outcomes });
        },
      ],
    ])('whose final one %s is refused, and stays open', async (_name, forge) => {
      await waiting();
      const { bytes, hash } = open();
      world.receipt(DE, bytes, forge(hash));
      await world.counted('quarantined.RECEIPT_INVALID', 1);
      expect(await stateOf(DE)).toBe('OPEN');
      world.receipt(DE, final(hash));
      await until('de has answered', async () => (await stateOf(DE)) === 'DELETED');
    });

    test('is refused when it names an open one that nobody saw', async () => {
      await waiting();
      world.receipt(DE, final(entryFor(FR).hash));
      await world.counted('quarantined.RECEIPT_INVALID', 1);
      expect(await stateOf(DE)).toBe('APPENDED');
    });

    test('is evidence when an open one comes again and differs', async () => {
      await waiting();
      world.receipt(DE, open().bytes, open().bytes);
      await world.counted('quarantined.EQUIVOCATION', 1);
      expect(await stateOf(DE)).toBe('OPEN');
    });

    test('never goes back from final to open', async () => {
      await waiting();
      world.receipt(DE, final(null), open().bytes);
      await world.counted('quarantined.RECEIPT_INVALID', 1);
      expect(await stateOf(DE)).toBe('DELETED');
    });

    test('is refused when a hold has no ground', async () => {
      await waiting();
      const outcomes = [A, B].map((id) => ({ id, outcome: 'HELD' as const }));
      world.receipt(DE, world.holder(DE).next(entryFor(DE), { outcomes }).bytes);
      await world.counted('quarantined.RECEIPT_INVALID', 1);
      expect(await stateOf(DE)).toBe('APPENDED');
    });
  });

  test('with a number that was signed before is evidence', async () => {
    await waiting();
    const holder = world.holder(DE);
    world.receipt(DE, holder.next(entryFor(DE)).bytes);
    world.receipt(DE, holder.next(entryFor(DE), { change: { number: 1 } }).bytes);
    await world.counted('quarantined.EQUIVOCATION', 1);
  });

  test('that does not follow the one before is refused, and the line goes on', async () => {
    await waiting();
    const strange = signAs(world.federation, { member: DE, role: 'node' }, 'Receipt', {
      ...receiptOf(DE),
      previous: entryFor(FR).hash,
    });
    world.receipt(DE, strange.bytes);
    await world.counted('quarantined.CHAIN_BROKEN', 1);
    world.answer(DE);
    await until('de has answered', async () => (await stateOf(DE)) === 'DELETED');
  });

  test.each<[name: string, code: string, forge: () => Uint8Array]>([
    [
      'signed by another member',
      'SENDER_NOT_TOPIC_OWNER',
      () => new TestHolder(world.federation, FR).next(entryFor(DE)).bytes,
    ],
    [
      'signed by the wrong service',
      'KEY_ROLE_WRONG',
      () =>
        signAs(world.federation, { member: DE, role: 'consent' }, 'Receipt', receiptOf(DE)).bytes,
    ],
    [
      'for another origin',
      'NOT_ADDRESSED_HERE',
      () =>
        signAs(world.federation, { member: DE, role: 'node' }, 'Receipt', {
          ...receiptOf(DE),
          origin: NL,
        }).bytes,
    ],
    ['that is none', 'RECORD_MALFORMED', () => Uint8Array.of(0, 1, 2)],
  ])('%s is kept as %s; nothing changes and the line goes on', async (_name, code, forge) => {
    await waiting();
    world.receipt(DE, forge());
    await world.counted(`quarantined.${code}`, 1);
    expect(await stateOf(DE)).toBe('APPENDED');
    world.answer(DE);
    world.answer(FR);
    await world.reaches(ORDER, 'CLOSED');
  });

  test('behind a gap has no effect, stops only its own lane, and counts once the gap is filled', async () => {
    await waiting();
    const holder = world.holder(DE);
    const first = holder.next(entryFor(DE), { change: { orderId: orderId(8) } });
    const second = holder.next(entryFor(DE));
    world.receipt(DE, second.bytes);
    world.answer(FR);
    await until('the gap is named', async () => (await world.list()).gaps.length === 1);
    expect((await world.list()).gaps).toEqual(['receipts.de.un: missing 1 to 1']);
    await until('fr has answered', async () => (await stateOf(FR)) === 'DELETED');
    expect(await stateOf(DE)).toBe('APPENDED');

    world.receipt(DE, first.bytes);
    await world.reaches(ORDER, 'CLOSED');
    expect((await world.list()).gaps).toEqual([]);
    expect(world.deaths).toEqual([]);
  });
});

describe('a holder’s word that its media are erased', () => {
  /** Behind the receipt that de gave; signed by `by` where the test says so. */
  const erased = (orders: readonly OrderId[], by: Parameters<typeof signAs>[1] = NODE_OF_DE) =>
    world.holder(DE).says((link) =>
      signAs(world.federation, by, 'MediaErased', {
        ...{ suite: SUITE, federation: 'test', origin: UN, keyId: '', holder: DE },
        ...{ ...link, timeMs: NOW, generations: [1, 4], level: 'BEST_EFFORT', orders },
      }),
    );
  const media = async () => (await world.status(ORDER)).holders.find(({ member }) => member === DE);

  test('stands beside the answer, and the chain of receipts goes on behind it', async () => {
    await waiting();
    world.answer(DE);
    await until('de has answered', async () => (await stateOf(DE)) === 'DELETED');
    world.nowMs = asUnixMs(world.nowMs + 3_600_001);
    expect(await media()).toMatchObject({ mediaErasedAtMs: 0, mediaOverdue: true });
    expect((await world.list()).counters['media.overdue']).toBe(1);
    world.receipt(DE, erased([ORDER]));
    await until('it is taken', async () => (await media())?.mediaLevel === 'BEST_EFFORT');
    expect(await media()).toMatchObject({ mediaErasedAtMs: world.nowMs, mediaOverdue: false });
    expect((await world.list()).counters['media.overdue']).toBe(0);
    const { mediaErasures } = await world.calls.purge.receipts({ orderId: ORDER }, world.as(UN));
    expect(mediaErasures).toMatchObject([{ member: DE, number: 2, level: 'BEST_EFFORT' }]);
    expect(mediaErasures[0]?.dsseJson).toContain(payloadType('MediaErased'));
    world.receipt(DE, world.holder(DE).next(entryFor(DE)).bytes);
    await world.counted('quarantined.EQUIVOCATION', 1);
    world.answer(FR);
    await world.reaches(ORDER, 'CLOSED');
  });

  test('about an order that it did not answer is kept as RECEIPT_INVALID', async () => {
    await waiting();
    world.receipt(DE, erased([ORDER]));
    await world.counted('quarantined.RECEIPT_INVALID', 1);
    world.answer(DE);
    world.receipt(DE, erased([ORDER, orderId(9)]));
    await world.counted('quarantined.RECEIPT_INVALID', 2);
    expect(await media()).toMatchObject({ state: 'DELETED', mediaLevel: '' });
  });

  test('that another service of it signed is refused', async () => {
    await waiting();
    world.receipt(DE, erased([ORDER], { member: DE, role: 'consent' }));
    await world.counted('quarantined.KEY_ROLE_WRONG', 1);
  });
});

describe('the own ledger', () => {
  test('at a gap stops by name; purges go on, and it heals when the record comes', async () => {
    world.held = [];
    world.ledger.publish({ id: A });
    world.ledger.publish({ id: B });
    world.ledger.publish({ id: C });
    const [first, second, third] = world.held;
    if (!first || !second || !third) throw new Error('three records');
    await world.start();
    world.toLedger(first, third);
    await until('the gap is named', async () => (await world.list()).gaps.length === 1);
    expect(await world.list()).toMatchObject({
      gaps: ['ledger.un: missing 2 to 2'],
      publications: 1,
      ledgerNumber: 1,
    });
    await world.order({ orderId: ORDER, ids: [A] });
    await world.reaches(ORDER, 'APPENDED');

    world.toLedger(second);
    await world.published(3);
    expect((await world.list()).gaps).toEqual([]);
    expect(world.deaths).toEqual([]);
    world.toLedger(...world.held.slice(3));
    await world.reaches(ORDER, 'CLOSED');
  });

  test('heals whatever the order in which missing records come', async () => {
    world.held = [];
    for (let n = 1; n <= 5; n++) world.ledger.publish({ id: eventId(n) });
    const records = world.held;
    await world.start();
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }), async (order) => {
        await world.dispose();
        world = new RevocationWorld();
        await world.start();
        for (const index of order) {
          world.toLedger(records[index] ?? new Uint8Array());
          await new Promise(setImmediate);
        }
        await world.published(5);
        expect(await world.list()).toMatchObject({ gaps: [], ledgerNumber: 5 });
        expect(world.deaths).toEqual([]);
      }),
      { numRuns: 10, examples: [[[0, 3, 2, 1, 4]]] },
    );
  });

  test('reads again from the start after a restart at a gap: what was refused may be the missing piece', async () => {
    world.held = [];
    world.ledger.publish({ id: A });
    world.ledger.publish({ id: B });
    const { keys } = world.federation;
    const node = world.federation.signer(UN, 'node').keyId;
    let isKnown = true;
    const find = (keyId: string) => (keyId === node && !isKnown ? undefined : keys.find(keyId));
    await world.start({ keys: { federation: keys.federation, find } });
    isKnown = false;
    const [first, second] = world.held;
    if (!first || !second) throw new Error('two records');
    world.toLedger(first);
    await world.counted('quarantined.KEY_UNKNOWN', 1);
    isKnown = true;
    world.toLedger(second);
    await until('the gap is named', async () => (await world.list()).gaps.length === 1);
    await world.stop();
    await world.start();
    await world.published(2);
    expect((await world.list()).gaps).toEqual([]);
  });

  test('of somebody else, changed, or with another body is refused and the line goes on', async () => {
    const foreign: Uint8Array[] = [];
    new TestLedger(world.federation, DE, (record) => foreign.push(record)).publish({ id: A });
    world.held = [];
    world.ledger.publish({ id: A });
    world.ledger.publish({ id: B });
    const [first, second] = world.held.map((bytes) => {
      const record = codec.decode('LedgerRecord', bytes);
      if (!record.ok) throw record.error;
      return { bytes, ...record.value };
    });
    if (!first || !second) throw new Error('two records');
    const swapped = codec.encode('LedgerRecord', {
      statement: first.statement,
      body: second.body,
    });
    await world.start();
    world.toLedger(...foreign, Uint8Array.of(9), swapped, first.bytes, second.bytes);
    await world.published(2);
    expect((await world.list()).counters).toMatchObject({
      'quarantined.SENDER_NOT_TOPIC_OWNER': 1,
      'quarantined.RECORD_MALFORMED': 1,
      'quarantined.BLOCK_ROOT_MISMATCH': 1,
    });
    expect((await world.list()).gaps).toEqual([]);
  });
});

describe('freshness', () => {
  const nonce = new Uint8Array(32).fill(7);

  async function ask(member: MemberId) {
    const { answer } = await world.calls.freshness.freshness({ nonce }, world.as(member));
    const read = verifyStatement(codec, world.federation.keys, 'FreshnessAnswer', answer, {
      signer: UN,
    });
    if (!read.ok) throw read.error;
    return read.value.value;
  }

  test('binds nonce, recipient and the head of that recipient, sent or not', async () => {
    world.ledger.publish({ id: A });
    world.ledger.release(DE, A);
    await world.start();
    await world.published(1);
    expect(await ask(DE)).toMatchObject({ recipient: DE, head: 0, epoch: 1 });
    world.held = []; // what the node writes stays out of this
    world.log.setReachable(false);
    await world.order({ orderId: ORDER, ids: [A] });
    await world.reaches(ORDER, 'APPENDED');
    const answer = await ask(DE);
    expect(answer).toMatchObject({ recipient: DE, head: 1, epoch: 1 });
    expect(equalBytes(answer.nonce, nonce)).toBe(true);
    expect(await ask(FR)).toMatchObject({ recipient: FR, head: 0 });

    world.log.setReachable(true);
    await until('the entry is sent', () => world.entriesFor(DE).length === 1);
    expect(equalBytes(entryFor(DE).hash, answer.headHash)).toBe(true);
  });

  test.each([0, 15, 65])('with a nonce of %d bytes is refused', async (length) => {
    await world.start();
    const call = world.calls.freshness.freshness({ nonce: new Uint8Array(length) }, world.as(DE));
    expect(await codeOf(call)).toBe('REQUEST_INVALID');
  });

  test('is told to nobody outside of the federation, nor to ourselves', async () => {
    await world.start();
    for (const member of [UN, 'xx' as MemberId]) {
      const call = world.calls.freshness.freshness({ nonce }, world.as(member));
      expect(await codeOf(call)).toBe('CALLER_NOT_ALLOWED');
    }
  });
});

describe('a call about an order', () => {
  test.each([
    ['that nobody gave', orderId(5), 'ORDER_UNKNOWN'],
    ['under a malformed id', 'order 5', 'REQUEST_INVALID'],
  ])('%s is refused', async (_name, id, code) => {
    await world.start();
    expect(await codeOf(world.status(id))).toBe(code);
    expect(await codeOf(world.certificate(id))).toBe(code);
  });
});
