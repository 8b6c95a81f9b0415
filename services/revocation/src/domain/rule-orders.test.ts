import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type EventId, type MemberId, asUnixMs, eventIdOf } from '@concordat/common/domain/ids.js';
import { type Unordered, ruleFor, ruleOrder, ruleOrderId } from './rule-orders.js';

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
const kept: Unordered = { id: OLD, retainUntilMs: asUnixMs(NOW + 1), supersededBy: null };

describe('an event that no order covers', () => {
  test.each<[name: string, event: Unordered, expected: object | undefined]>([
    ['stays while nothing replaces it and its time is not over', kept, undefined],
    [
      'is taken back when superseded',
      { ...kept, supersededBy: NEW },
      { reason: 'superseded', id: OLD, supersededBy: NEW },
    ],
    [
      'is taken back at the very moment its retention ends',
      { ...kept, retainUntilMs: NOW },
      { reason: 'retention', id: OLD, supersededBy: null },
    ],
    [
      'is taken back as superseded when both are true',
      { ...kept, retainUntilMs: NOW, supersededBy: NEW },
      { reason: 'superseded', id: OLD, supersededBy: NEW },
    ],
  ])('%s', (_name, event, expected) => {
    expect(ruleFor(event, NOW)).toEqual(expected);
  });
});

describe('a rule order', () => {
  const rule = { reason: 'superseded', id: OLD, supersededBy: NEW } as const;

  test('covers the old event, names the new one, and is due after the default time', () => {
    const by = { ...place, keyId: 'key', deadlineInMs: 5_000 };
    expect(ruleOrder(by, rule, NOW)).toMatchObject({
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
