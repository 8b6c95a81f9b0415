import { createPrivateKey, sign, verify } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { ed25519 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { keyIdOf, rawPublicKey, registerPublicKey } from './keys.js';

const fromHex = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));
const ff = (count: number) => 'ff'.repeat(count);

const SMALL_ORDER: [name: string, hex: string][] = [
  ['the neutral point', `01${'00'.repeat(31)}`],
  ['the point of order 2', `ec${ff(30)}7f`],
  ['a point of order 4', '00'.repeat(32)],
  ['the other point of order 4', `${'00'.repeat(31)}80`],
  ['a first point of order 8', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
  ['a second point of order 8', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85'],
  ['a third point of order 8', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'],
  ['a fourth point of order 8', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa'],
];
const SECOND_SPELLINGS: [name: string, hex: string][] = [
  ['the neutral point with minus zero', `01${'00'.repeat(30)}80`],
  ['the point of order 2 with minus zero', `ec${ff(31)}`],
  ['y = p for 0', `ed${ff(30)}7f`],
  ['y = p for 0, odd', `ed${ff(31)}`],
  ['y = p + 1 for 1', `ee${ff(30)}7f`],
  ['y = p + 1 for 1, odd', `ee${ff(31)}`],
];

describe('registerPublicKey', () => {
  test.each([...SMALL_ORDER, ...SECOND_SPELLINGS])('refuses %s', (_name, hex) => {
    expect(registerPublicKey(fromHex(hex))).toMatchObject({
      ok: false,
      error: { code: 'KEY_WEAK' },
    });
  });

  test('refuses every y from p to 2^255 - 1, with either sign', () => {
    const taken = Array.from({ length: 19 }, (_, add) => (0xed + add).toString(16))
      .flatMap((low) => [`${low}${ff(30)}7f`, `${low}${ff(31)}`])
      .filter((hex) => registerPublicKey(fromHex(hex)).ok);
    expect(taken).toEqual([]);
  });

  test.each([0, 31, 33, 64])('refuses %i bytes', (length) => {
    expect(registerPublicKey(new Uint8Array(length))).toMatchObject({ ok: false });
  });

  test('refuses an honest key with a point of small order added', () => {
    const torsion = ed25519.Point.fromHex(SMALL_ORDER[4]?.[1] ?? '');
    const honest = ed25519.Point.BASE.multiply(5n);
    expect(registerPublicKey(honest.toBytes())).toMatchObject({ ok: true });
    expect(registerPublicKey(honest.add(torsion).toBytes())).toMatchObject({ ok: false });
  });

  test('takes exactly what another implementation calls a canonical point of the prime-order group', () => {
    const theirs = (bytes: Uint8Array) => {
      try {
        const point = ed25519.Point.fromBytes(bytes, false);
        const isCanonical = Buffer.compare(point.toBytes(), bytes) === 0;
        return isCanonical && !point.is0() && point.isTorsionFree();
      } catch {
        return false;
      }
    };
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        expect(registerPublicKey(bytes).ok).toBe(theirs(bytes));
      }),
      { numRuns: 60 },
    );
  });

  test('takes an honest key, and what it answers verifies its signatures', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (seed) => {
        const head = Buffer.from('302e020100300506032b657004220420', 'hex');
        const der = Buffer.concat([head, seed]);
        const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
        const raw = rawPublicKey(privateKey);
        expect(raw).toEqual(ed25519.getPublicKey(seed));
        const key = registerPublicKey(raw);
        const message = Buffer.from('an entry');
        expect(key.ok && verify(null, message, key.value, sign(null, message, privateKey))).toBe(
          true,
        );
      }),
      { numRuns: 20 },
    );
  });
});

test('a key id is the base64url of the first 16 bytes of SHA-256', () => {
  // echo -n | openssl dgst: SHA-256 of 32 zero bytes begins 66687aadf862bd776c8fc18b8e9f8e20
  expect(keyIdOf(new Uint8Array(32))).toBe(
    Buffer.from('66687aadf862bd776c8fc18b8e9f8e20', 'hex').toString('base64url'),
  );
});
