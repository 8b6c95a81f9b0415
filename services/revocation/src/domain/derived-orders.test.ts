import { describe, expect, test } from '@jest/globals';
import { sha256, utf8 } from '@concordat/common/domain/bytes.js';
import { asUnixMs } from '@concordat/common/domain/ids.js';
import { SUITE } from '@concordat/common/domain/statement.js';
import { memberOf } from '../../../../test/support/federation.js';
import { orderId } from '../../../../test/support/ledger.js';
import { NOW, eventId } from '../../../../test/support/origin.js';
import { type ChildDuty, childOrder } from './child-orders.js';
import type { OrderMaker } from './derived-order.js';
import { type Leaving, leaverOrder } from './leave-order.js';
import { ORDER_IDS_MAX } from './officer-order.js';
import { type ScopeLoss, piecesOf, scopeOrder, scopeOrderId } from './scope-orders.js';

const [un, de, fr] = [memberOf('un'), memberOf('de'), memberOf('fr')];
const [A, B, C] = [eventId(1), eventId(2), eventId(3)];
const by: OrderMaker = { federation: 'test', origin: un, keyId: 'key', deadlineInMs: 5_000 };
const signed = { suite: SUITE, federation: 'test', origin: un, keyId: 'key' };

/** All different: one id for each set of facts. */
function expectDistinct(ids: readonly string[]): void {
  expect(new Set(ids).size).toBe(ids.length);
}

describe("a child's order", () => {
  const duty: ChildDuty = {
    ...{ child: A, origin: de, orderId: orderId(1), entryHash: sha256(utf8('entry')) },
    ...{ entryTimeMs: NOW, parents: [B, C], origins: [de] },
  };

  test('takes the child back whole and everywhere, names what obliges to it, and is due by the time of the entry', () => {
    expect(childOrder(by, duty)).toMatchObject({
      ...{ ...signed, issuedAtMs: NOW, deadlineMs: NOW + 5_000, reason: 'parent_purged' },
      ...{ ids: [A], supersededBy: null, recipients: [], sections: [] },
      cause: { origin: de, orderId: duty.orderId, entryHash: duty.entryHash, parents: [B, C] },
    });
  });

  test('has an id that follows from child and entry alone', () => {
    const idOf = (change: Partial<ChildDuty>) => childOrder(by, { ...duty, ...change }).orderId;
    expect(idOf({ parents: [], origins: [fr], entryTimeMs: asUnixMs(1) })).toBe(idOf({}));
    expectDistinct([idOf({}), idOf({ child: B }), idOf({ entryHash: sha256(utf8('other')) })]);
  });
});

describe("a leaver's order", () => {
  const leaving: Leaving = { member: de, sinceMs: NOW, termMs: 7_000 };

  test('takes these events back from that member only, by the time of the fact', () => {
    expect(leaverOrder(by, leaving, [A, B])).toMatchObject({
      ...{ federation: 'test', origin: un, keyId: 'key', issuedAtMs: NOW },
      ...{ deadlineMs: NOW + 7_000, reason: 'partner_withdrawn', ids: [A, B] },
      ...{ supersededBy: null, recipients: [de], sections: [], cause: null },
    });
  });

  test('has an id that follows from the fact and the events', () => {
    const idOf = (change: Partial<Leaving>, ids = [A]) =>
      leaverOrder(by, { ...leaving, ...change }, ids).orderId;
    expect(idOf({})).toBe(idOf({}));
    expectDistinct([
      ...[idOf({}), idOf({ member: fr }), idOf({ sinceMs: asUnixMs(NOW + 1) })],
      ...[idOf({ termMs: 7_001 }), idOf({}, [B]), idOf({}, [A, B])],
    ]);
  });
});

describe('an order for what left scope', () => {
  const loss: ScopeLoss = { recipient: de, sections: ['identity'], ids: [A, B] };
  const idOf = (change: Partial<ScopeLoss>, attempt = 0) =>
    scopeOrderId(by, { ...loss, ...change }, attempt);

  test('takes exactly what was lost back from that recipient, from now on', () => {
    expect(scopeOrder(by, loss, { orderId: orderId(1), nowMs: NOW })).toMatchObject({
      ...{ federation: 'test', origin: un, keyId: 'key', orderId: orderId(1) },
      ...{ issuedAtMs: NOW, deadlineMs: NOW + 5_000, reason: 'scope_changed', ids: [A, B] },
      ...{ supersededBy: null, recipients: [de], sections: ['identity'], cause: null },
    });
  });

  test('has an id that follows from the loss and how often it was ordered before', () => {
    expect(idOf({})).toBe(idOf({}));
    expectDistinct([
      ...[idOf({}), idOf({}, 1), idOf({ recipient: fr }), idOf({ sections: [] })],
      ...[idOf({ sections: ['identity', 'remarks'] }), idOf({ ids: [A] })],
    ]);
  });

  test('comes in pieces of what an order may have, in order and nothing left out', () => {
    const ids = Array.from({ length: 2 * ORDER_IDS_MAX + 1 }, (_, at) => eventId(at));
    const pieces = piecesOf({ ...loss, ids });
    expect(pieces.map((piece) => piece.ids.length)).toEqual([ORDER_IDS_MAX, ORDER_IDS_MAX, 1]);
    expect(pieces.flatMap((piece) => piece.ids)).toEqual(ids);
    expect(
      pieces.every(({ recipient, sections }) => recipient === de && sections.length === 1),
    ).toBe(true);
    expect(piecesOf({ ...loss, ids: ids.slice(0, ORDER_IDS_MAX) })).toHaveLength(1);
    expect(piecesOf({ ...loss, ids: [] })).toEqual([]);
  });

  test('shares its id with no other kind of order over the same events', () => {
    const leave = leaverOrder(by, { member: de, sinceMs: NOW, termMs: 0 }, loss.ids);
    expectDistinct([leave.orderId, idOf({ sections: [] }), idOf({ sections: [String(NOW)] })]);
  });
});
