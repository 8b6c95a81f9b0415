import { describe, expect, test } from '@jest/globals';
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { sha256, utf8 } from './bytes.js';
import { type EventId, type Hash, type MemberId, parseEventId } from './ids.js';
import {
  SECTION_PLAINTEXT_BYTES_MAX,
  type SectionPlace,
  commit,
  isOpening,
  keyCommitment,
  openSection,
  pad,
  sealSection,
  slotSalt,
  unpad,
} from './sealing.js';

function eventId(text: string): EventId {
  const id = parseEventId(text);
  if (!id.ok) throw new Error(id.error);
  return id.value;
}

const place: SectionPlace = {
  origin: 'un' as MemberId,
  id: eventId('018bcfe5-6800-7000-8000-000000000001'),
  section: 'identity',
  schemaHash: sha256(utf8('schema')),
};
const elsewhere: [name: string, place: SectionPlace][] = [
  ['another origin', { ...place, origin: 'de' as MemberId }],
  ['another event', { ...place, id: eventId('018bcfe5-6800-7000-8000-000000000002') }],
  ['another section', { ...place, section: 'remarks' }],
  ['another schema', { ...place, schemaHash: sha256(utf8('other')) }],
];
const key = sha256(utf8('key'));
const nonce = sha256(utf8('nonce')).subarray(0, 12);
const flipAt = (bytes: Uint8Array, at: number): Uint8Array =>
  bytes.map((byte, index) => (index === at % bytes.length ? byte ^ 1 : byte));

describe('padding', () => {
  test.each([
    [0, 256],
    [255, 256],
    [256, 1024],
    [1023, 1024],
    [1024, 4096],
    [4095, 4096],
    [16_383, 16_384],
    [65_535, 65_536],
    [SECTION_PLAINTEXT_BYTES_MAX, 192 * 1024],
  ])('hides %d bytes in %d', (length, bucket) => {
    const padded = pad(new Uint8Array(length).fill(7));
    expect(padded?.length).toBe(bucket);
    expect(unpad(padded ?? new Uint8Array())).toEqual(new Uint8Array(length).fill(7));
  });

  test('refuses what no bucket holds', () => {
    expect(pad(new Uint8Array(SECTION_PLAINTEXT_BYTES_MAX + 1))).toBeUndefined();
  });

  test('comes off again whatever the content ends with', () => {
    const content = fc.uint8Array({ maxLength: 600 });
    const ending = fc.constantFrom([], [0], [0x80], [0x80, 0, 0]);
    fc.assert(
      fc.property(content, ending, (bytes, tail) => {
        const text = Uint8Array.of(...bytes, ...tail);
        expect(unpad(pad(text) ?? new Uint8Array())).toEqual(text);
      }),
    );
  });

  test.each([
    ['nothing', []],
    ['zeros only', [0, 0, 0]],
    ['another mark', [1, 0, 0]],
  ])('of %s is none', (_name, bytes) => {
    expect(unpad(Uint8Array.from(bytes))).toBeUndefined();
  });
});

describe('a sealed section', () => {
  const text = utf8('content');
  const sealed = sealSection(text, place, { key, nonce }) ?? new Uint8Array();

  test('is nonce, padded ciphertext and a tag of 16 bytes, and opens with its key at its place', () => {
    expect(sealed.length).toBe(12 + 256 + 16);
    expect(openSection(sealed, place, key)).toEqual(text);
  });

  test('does not open with any bit changed, shortened or lengthened', () => {
    fc.assert(
      fc.property(fc.nat({ max: sealed.length - 1 }), fc.integer({ min: 0, max: 7 }), (at, bit) => {
        const changed = sealed.map((byte, i) => (i === at ? byte ^ (1 << bit) : byte));
        expect(openSection(changed, place, key)).toBeUndefined();
        expect(openSection(sealed.subarray(0, at), place, key)).toBeUndefined();
      }),
    );
    expect(openSection(Uint8Array.of(...sealed, 0), place, key)).toBeUndefined();
  });

  test.each(elsewhere)('does not open at %s', (_name, other) => {
    expect(openSection(sealed, other, key)).toBeUndefined();
  });

  test.each([
    ['another key', flipAt(key, 0)],
    ['a short key', key.subarray(0, 16)],
    ['a long key', Uint8Array.of(...key, 0)],
  ])('does not open with %s', (_name, other) => {
    expect(openSection(sealed, place, other)).toBeUndefined();
  });

  test('is not made of more than the limit', () => {
    const long = new Uint8Array(SECTION_PLAINTEXT_BYTES_MAX + 1);
    expect(sealSection(long, place, { key, nonce })).toBeUndefined();
  });
});

describe('a key commitment', () => {
  test('is another one for every other key', () => {
    const committed = Buffer.from(keyCommitment(place, key)).toString('hex');
    fc.assert(
      fc.property(fc.nat({ max: 31 }), (at) => {
        const other = keyCommitment(place, flipAt(key, at));
        expect(Buffer.from(other).toString('hex')).not.toBe(committed);
      }),
    );
  });

  test.each(elsewhere.slice(0, 3))('is another one for %s', (_name, other) => {
    expect(keyCommitment(other, key)).not.toEqual(keyCommitment(place, key));
  });
});

describe('a salted commitment', () => {
  const opening = { salt: sha256(utf8('salt')), value: utf8('value') };

  test('opens with its salt and value under its label only', () => {
    const commitment = commit('audience', opening);
    expect(isOpening('audience', commitment, opening)).toBe(true);
    expect(isOpening('derived-from', commitment, opening)).toBe(false);
    const salt = flipAt(opening.salt, 0) as Hash;
    expect(isOpening('audience', commitment, { ...opening, salt })).toBe(false);
    const value = utf8('values');
    expect(isOpening('audience', commitment, { ...opening, value })).toBe(false);
  });
});

test('a slot salt is the first half of HMAC-SHA-256 of its leaf under the seed', () => {
  const seed = sha256(utf8('seed'));
  const message = Buffer.concat([Buffer.from('concordat slot v1'), Buffer.from([0, 0, 1, 2])]);
  const expected = createHmac('sha256', seed).update(message).digest().subarray(0, 16);
  expect(Buffer.from(slotSalt(seed, 258))).toEqual(expected);
});
