import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { eventIdOf, idBytes, orderIdOf, parseEventId, parseMemberId, parseOrderId } from './ids.js';

const V7 = '01890a5d-ac96-774b-bcce-b302099a8057';
const V4 = '5c6b6e0a-2f0f-4c2e-9d59-1b3f4a0e7c11';

describe('a member id', () => {
  test.each(['de', 'un', 'abcdefgh'])('may be %p', (text) => {
    expect(parseMemberId(text)).toEqual({ ok: true, value: text });
  });

  test.each(['', 'd', 'abcdefghi', 'DE', 'd1', 'd-e', 'dé', ' de', 'de\n', 'de.fr'])(
    'is never %p',
    (text) => {
      expect(parseMemberId(text)).toEqual({ ok: false, error: 'MEMBER_ID_MALFORMED' });
    },
  );
});

describe('an event id', () => {
  test('is a UUIDv7', () => {
    expect(parseEventId(V7)).toEqual({ ok: true, value: V7 });
  });

  test.each([
    ['of another version', V4],
    ['of another variant', '01890a5d-ac96-774b-ccce-b302099a8057'],
    ['in capitals', V7.toUpperCase()],
    ['without hyphens', V7.replaceAll('-', '')],
    ['in braces', `{${V7}}`],
    ['followed by a line feed', `${V7}\n`],
  ])('is never a UUID %s', (_name, text) => {
    expect(parseEventId(text)).toEqual({ ok: false, error: 'EVENT_ID_MALFORMED' });
  });

  test('has 16 bytes, in the order of its text', () => {
    const parsed = parseEventId(V7);
    expect(parsed.ok && Buffer.from(idBytes(parsed.value)).toString('hex')).toBe(
      V7.replaceAll('-', ''),
    );
  });

  test.each([0, 15, 17])('is never read from %d bytes', (length) => {
    expect(eventIdOf(new Uint8Array(length)).ok).toBe(false);
  });

  test('comes back from its bytes', () => {
    fc.assert(
      fc.property(fc.uuid({ version: 7 }), (text) => {
        const parsed = parseEventId(text);
        expect(parsed.ok && eventIdOf(idBytes(parsed.value))).toEqual({ ok: true, value: text });
      }),
    );
  });
});

describe('an order id', () => {
  test.each([V7, V4])('may be any UUID: %s', (text) => {
    expect(parseOrderId(text)).toEqual({ ok: true, value: text });
  });

  test('comes back from any 16 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const parsed = orderIdOf(bytes);
        expect(parsed.ok && idBytes(parsed.value)).toEqual(bytes);
      }),
    );
  });
});
