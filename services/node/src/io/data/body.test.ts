import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Hash, UnixMs } from '@concordat/common/domain/ids.js';
import { type EventBody, type StoredRelease, decodeBody, encodeBody } from './body.js';

const bytes = fc.uint8Array({ maxLength: 64 });
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((salt) => salt as Hash);
const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,9}$/);
const whole = fc.nat({ max: 2 ** 31 - 1 });
const release: fc.Arbitrary<StoredRelease> = fc.record({
  agreementId: fc.string(),
  agreementVersion: whole,
  consentId: fc.string(),
  sections: fc.array(name),
  purposes: fc.array(name),
  deleteByMs: fc.nat({ max: Number.MAX_SAFE_INTEGER }).map((value) => value as UnixMs),
  onward: fc.boolean(),
  custody: fc.constantFrom('held', 'leased'),
  block: fc.record({ lane: whole, epoch: whole, number: whole }),
  leaf: whole,
});
const body = fc.record(
  {
    category: name,
    header: bytes,
    audience: fc.record({ salt: hash, value: bytes }),
    release,
    sections: fc.array(fc.record({ name, sealed: bytes })),
  },
  { requiredKeys: ['category', 'header', 'sections'] },
) as fc.Arbitrary<EventBody>;

test('a body comes back as it went in', () => {
  fc.assert(fc.property(body, (one) => expect(decodeBody(encodeBody(one))).toEqual(one)));
});

test('a body that was cut is noticed', () => {
  fc.assert(
    fc.property(body, (one) => {
      const whole = encodeBody({ ...one, sections: [{ name: 'last', sealed: Uint8Array.of(1) }] });
      for (const missing of [1, 2, 6, 8]) {
        expect(() => decodeBody(whole.subarray(0, -missing))).toThrow(TypeError);
      }
    }),
  );
});
