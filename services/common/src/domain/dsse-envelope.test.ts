import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { utf8 } from './bytes.js';
import { parseEnvelope, verifyThreshold } from './dsse-envelope.js';
import { keyIdOf, rawPublicKey, registerPublicKey } from './keys.js';
import { pae } from './statement.js';

const type = 'http://example.com/HelloWorld';
const body = utf8('hello world');
const people = Array.from({ length: 3 }, () => generateKeyPairSync('ed25519'));
const [ann, bob, cas] = people as [Person, Person, Person];
type Person = (typeof people)[number];

const idOf = (person: Person): string => keyIdOf(rawPublicKey(person.publicKey));
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const sigOf = (person: Person, payload = body) =>
  base64(sign(null, pae(type, payload), person.privateKey));

function envelope(signatures: readonly unknown[], more: object = {}): Uint8Array {
  return utf8(JSON.stringify({ payload: base64(body), payloadType: type, signatures, ...more }));
}

function verdict(bytes: Uint8Array, keys: readonly Person[], threshold: number) {
  const parsed = parseEnvelope(bytes);
  if (!parsed.ok) return parsed.error.code;
  const publicKeys = keys.map(({ publicKey }) => publicKey);
  const verified = verifyThreshold(parsed.value, publicKeys, threshold);
  return verified.ok ? verified.value : verified.error.code;
}

describe('an envelope', () => {
  const two = envelope([{ keyid: 'a', sig: sigOf(ann) }, { sig: sigOf(bob) }]);

  test('is verified by as many keys as signed it, and by no more', () => {
    expect(verdict(two, [ann, bob, cas], 1)).toEqual([idOf(ann), idOf(bob)]);
    expect(verdict(two, [cas, bob, ann], 2)).toEqual([idOf(bob), idOf(ann)]);
    expect(verdict(two, [ann, bob, cas], 3)).toBe('SIGNATURE_INVALID');
    expect(verdict(two, [cas], 1)).toBe('SIGNATURE_INVALID');
    expect(verdict(two, [], 1)).toBe('SIGNATURE_INVALID');
  });

  test('counts a key once, however often it signed and is listed', () => {
    const again = registerPublicKey(rawPublicKey(ann.publicKey));
    if (!again.ok) throw again.error;
    const twin: Person = { ...ann, publicKey: again.value };
    const twice = envelope([
      { keyid: 'a', sig: sigOf(ann) },
      { keyid: 'b', sig: sigOf(ann) },
    ]);
    expect(verdict(twice, [ann, twin, ann, bob], 2)).toBe('SIGNATURE_INVALID');
    expect(verdict(twice, [ann, twin, ann, bob], 1)).toEqual([idOf(ann)]);
  });

  test('is verified whatever stands in the key ids, which nobody signed', () => {
    const swapped = envelope([
      { keyid: idOf(bob), sig: sigOf(ann) },
      { keyid: '', sig: sigOf(bob) },
    ]);
    expect(verdict(swapped, [ann, bob], 2)).toEqual([idOf(ann), idOf(bob)]);
  });

  test('may hold signatures of strangers, of other kinds, and fields that nobody knows', () => {
    const rsa = base64(new Uint8Array(256));
    const many = envelope(
      [{ sig: rsa }, { sig: '' }, { sig: sigOf(cas), x: 1 }, { sig: sigOf(ann) }],
      {
        more: { at: 'all' },
      },
    );
    expect(verdict(many, [ann, bob], 1)).toEqual([idOf(ann)]);
    expect(verdict(many, [ann, bob], 2)).toBe('SIGNATURE_INVALID');
  });

  test('is verified over exactly its type and payload', () => {
    const sig = [{ sig: sigOf(ann) }];
    for (const more of [{ payload: base64(utf8('hello World')) }, { payloadType: `${type} ` }]) {
      expect(verdict(envelope(sig, more), [ann], 1)).toBe('SIGNATURE_INVALID');
    }
    expect(verdict(envelope([{ sig: sigOf(ann, utf8('other')) }]), [ann], 1)).toBe(
      'SIGNATURE_INVALID',
    );
  });

  test('may be written in either base64', () => {
    const payload = Uint8Array.of(0xfb, 0xff, 0xbe, 0xff);
    for (const text of ['+/++/w==', '-_--_w==', '-_--_w']) {
      const sig = sigOf(ann, payload);
      const bytes = envelope([{ sig }], { payload: text });
      expect(verdict(bytes, [ann], 1)).toEqual([idOf(ann)]);
    }
  });

  test.each<[name: string, bytes: Uint8Array]>([
    ['no JSON', utf8('{')],
    ['no object', utf8('[]')],
    ['no payload', envelope([], { payload: undefined })],
    ['a payload that is no text', envelope([], { payload: 1 })],
    ['a payload in two alphabets', envelope([], { payload: '+_++/w==' })],
    ['a payload with white space', envelope([], { payload: 'aGVsbG8g d29ybGQ=' })],
    ['no type', envelope([], { payloadType: undefined })],
    ['no signatures', envelope([], { signatures: undefined })],
    ['signatures that are no list', envelope([], { signatures: { sig: sigOf(ann) } })],
    ['a signature that is no object', envelope([sigOf(ann)])],
    ['a signature without sig', envelope([{ keyid: 'a' }])],
    ['a signature that is no base64', envelope([{ sig: sigOf(ann) }, { sig: '!' }])],
    ['65 signatures', envelope(Array.from({ length: 65 }, () => ({ sig: sigOf(ann) })))],
    ['a payload twice', utf8('{"payload":"","payload":"","payloadType":"a","signatures":[]}')],
  ])('is refused with %s', (_name, bytes) => {
    expect(verdict(bytes, [ann], 1)).toBe('RECORD_MALFORMED');
  });

  test.each([0, -1, 1.5, Number.NaN])('is not verified against a threshold of %p', (threshold) => {
    expect(() => verdict(two, [ann], threshold)).toThrow(RangeError);
  });
});
