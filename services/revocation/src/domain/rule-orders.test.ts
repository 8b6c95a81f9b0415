import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type EventId, type MemberId, asUnixMs, eventIdOf } from '@concordat/common/domain/ids.js';
import {
  type Successor,
  type Unordered,
  answerBy,
  ruleFor,
  ruleOrder,
  ruleOrderId,
} from './rule-orders.js';

const NOW = asUnixMs(1_700_000_000_000);
const place = { federation: 'test', origin: 'un' as MemberId };

function eventId(seed: number): EventId {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32BE(seed, 12);
  bytes[6] = 0x70;
  bytes[8] = 0x80;
  const id = eventIdOf(bytes);
  if (!id.ok) throw new TypeError(id.error);
  return id.value;
}

const [OLD, NEW] = [eventId(1), eventId(2)];
const successor: Successor = { id: NEW, publishedAtMs: asUnixMs(NOW - 7) };
const kept: Unordered = { id: OLD, retainUntilMs: asUnixMs(NOW + 1), supersededBy: null };

describe('an event that no order covers', () => {
  test.each<[name: string, event: Unordered, expected: object | undefined]>([
    ['stays while nothing replaces it and its time is not over', kept, undefined],
    [
      'is taken back when superseded',
      { ...kept, supersededBy: successor },
      { reason: 'superseded', id: OLD, supersededBy: NEW, sinceMs: NOW - 7 },
    ],
    [
      'is taken back at the very moment its retention ends',
      { ...kept, retainUntilMs: NOW },
      { reason: 'retention', id: OLD, supersededBy: null, sinceMs: NOW },
    ],
    [
      'is taken back as superseded when both are true',
      { ...kept, retainUntilMs: NOW, supersededBy: successor },
      { reason: 'superseded', id: OLD, supersededBy: NEW, sinceMs: NOW - 7 },
    ],
  ])('%s', (_name, event, expected) => {
    expect(ruleFor(event, NOW)).toEqual(expected);
  });
});

describe('a rule order', () => {
  const rule = { reason: 'superseded', id: OLD, supersededBy: NEW, sinceMs: NOW } as const;

  test('covers the old event, names the new one, and is issued and due by the time of the fact', () => {
    const by = { ...place, keyId: 'key', deadlineInMs: 5_000 };
    expect(ruleOrder(by, rule)).toMatchObject({
      ids: [OLD],
      supersededBy: NEW,
      reason: 'superseded',
      issuedAtMs: NOW,
      deadlineMs: NOW + 5_000,
      orderId: ruleOrderId(place, rule),
    });
  });

  test('has an id that follows from event and reason, not from time or successor', () => {
    const again = { ...rule, supersededBy: eventId(3) };
    expect(ruleOrderId(place, again)).toBe(ruleOrderId(place, rule));
    // made by another program from the written rule, so that other languages can follow it
    expect(ruleOrderId(place, rule)).toBe('9ff1116c-ef63-97f4-d93b-ead7071809f4');
  });

  test('shares its id with no other event, reason, origin or federation', () => {
    const reason = fc.constantFrom('superseded' as const, 'retention' as const);
    const cause = fc.record({
      federation: fc.constantFrom('a', 'ab', 'b'),
      origin: fc.constantFrom('un', 'unb', 'de') as fc.Arbitrary<MemberId>,
      id: fc.integer({ min: 0, max: 3 }).map(eventId),
      reason,
    });
    fc.assert(
      fc.property(cause, cause, (a, b) => {
        const same = JSON.stringify(a) === JSON.stringify(b);
        expect(ruleOrderId(a, a) === ruleOrderId(b, b)).toBe(same);
      }),
    );
  });
});

test.each<
  [name: string, reason: 'error' | 'superseded' | 'retention', lateMs: number, expected: number]
>([
  ["a person's deadline is what it says, however late the entry", 'error', 500, 1_000],
  ["a rule's deadline is its own when the entry comes at once", 'superseded', 0, 1_000],
  ['a rule gives everybody the same time, counted from the entry', 'superseded', 500, 1_500],
  ['also at the end of a retention that was seen late', 'retention', 5_000, 6_000],
])('%s', (_name, reason, lateMs, expected) => {
  const order = { reason, issuedAtMs: NOW, deadlineMs: asUnixMs(NOW + 1_000) };
  expect(answerBy(order, asUnixMs(NOW + lateMs))).toBe(NOW + expected);
});
