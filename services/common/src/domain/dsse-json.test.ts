import { describe, expect, test } from '@jest/globals';
import { createPrivateKey } from 'node:crypto';
import fc from 'fast-check';
import { certificateFile, tellStory } from '../../../../test/support/certificate.js';
import { codec, memberOf, testFederation } from '../../../../test/support/federation.js';
import { verifyCertificate } from './certificate/verify-certificate.js';
import { DSSE_BYTES_MAX, parseDsseJson, toDsseJson, verifyDsse } from './dsse-json.js';
import { sha256, utf8 } from './bytes.js';
import { keyIdOf, rawPublicKey } from './keys.js';
import { ed25519Sign } from './signature.js';
import { signStatement } from './statement.js';

const [UN, DE, FR, NL] = ['un', 'de', 'fr', 'nl'].map(memberOf) as [
  ReturnType<typeof memberOf>,
  ReturnType<typeof memberOf>,
  ReturnType<typeof memberOf>,
  ReturnType<typeof memberOf>,
];
const federation = testFederation([UN, DE, FR, NL]);
const { certificate } = tellStory(federation);
const file = certificateFile(federation, certificate);

/** What `concordat verify certificate` does. */
function verdict(text: string): string {
  const signed = verifyDsse(codec, federation.keys, 'Certificate', text);
  if (!signed.ok) return signed.error.code;
  const verified = verifyCertificate(codec, federation.keys, signed.value.value);
  return verified.ok ? 'valid' : verified.error.code;
}

const replaced = (at: number, character: string): string =>
  file.slice(0, at) + character + file.slice(at + 1);

describe('the file of a certificate', () => {
  test('is valid as it was made, and tells who signed it', () => {
    expect(verdict(file)).toBe('valid');
    const signed = verifyDsse(codec, federation.keys, 'Certificate', file);
    expect(signed).toMatchObject({ ok: true, value: { signer: UN } });
  });

  test('is valid with white space between its tokens, and nowhere else', () => {
    const pretty = JSON.stringify(JSON.parse(file), undefined, 2);
    expect(verdict(pretty)).toBe('valid');
    expect(verdict(`\n${pretty.replaceAll('\n', '\r\n\t')} `)).toBe('valid');
    const inside = file.indexOf('"payload":"') + 20;
    for (const space of [' ', '\n', '\\n', '\u00a0', '\ufeff']) {
      expect(verdict(file.slice(0, inside) + space + file.slice(inside))).toBe(
        'CERTIFICATE_INVALID',
      );
    }
    expect(verdict(`\ufeff${file}`)).toBe('CERTIFICATE_INVALID');
  });

  test('is refused with any character outside of the payload changed', () => {
    const from = file.indexOf('"payload":"') + '"payload":"'.length;
    const to = file.indexOf('","signatures"');
    const outside = Array.from(file).flatMap((_, at) => (at < from || at >= to ? [at] : []));
    for (const at of outside) {
      for (const character of ['A', 'b', '0', '"', '{', '=', '-', 'é']) {
        if (file[at] === character) continue;
        const result = verdict(replaced(at, character));
        expect([at, character, result]).toEqual([at, character, 'CERTIFICATE_INVALID']);
      }
    }
  });

  test('is refused with any character changed, removed or added', () => {
    const place = fc.nat({ max: file.length - 1 });
    fc.assert(
      fc.property(place, fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }), (at, one) => {
        fc.pre(!/^[ \t\r\n]$/.test(one) && file[at] !== one);
        expect(verdict(replaced(at, one))).toBe('CERTIFICATE_INVALID');
        expect(verdict(file.slice(0, at) + one + file.slice(at))).toBe('CERTIFICATE_INVALID');
        expect(verdict(replaced(at, ''))).toBe('CERTIFICATE_INVALID');
      }),
      { numRuns: 300 },
    );
  });

  test('is refused with a character exchanged for a neighbour in the alphabet of base64', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    const places = Array.from(file).flatMap((character, at) =>
      alphabet.includes(character) ? [at] : [],
    );
    fc.assert(
      fc.property(fc.constantFrom(...places), fc.integer({ min: 1, max: 63 }), (at, by) => {
        const next = alphabet[(alphabet.indexOf(file[at] ?? '') + by) % 64] ?? '';
        expect(verdict(replaced(at, next))).toBe('CERTIFICATE_INVALID');
      }),
      { numRuns: 500 },
    );
  });

  type Fields = {
    payloadType: string;
    payload: string;
    signatures: { keyid: string; sig: string }[];
  };
  const fields = JSON.parse(file) as Fields;
  const [signature] = fields.signatures;
  const spelled = (change: object): string => JSON.stringify({ ...fields, ...change });

  test.each<[name: string, text: () => string]>([
    ['with a field more', () => spelled({ note: 'x' })],
    ['with a field twice', () => `${file.slice(0, -1)},"payload":"${fields.payload}"}`],
    [
      'with its fields in another order',
      () => JSON.stringify(fields, ['signatures', 'payload', 'payloadType', 'keyid', 'sig']),
    ],
    ['without its signature', () => spelled({ signatures: [] })],
    ['with a second signature', () => spelled({ signatures: [signature, signature] })],
    [
      'with a field more in its signature',
      () => spelled({ signatures: [{ ...signature, x: '' }] }),
    ],
    [
      'without padding of base64',
      () => spelled({ signatures: [{ ...signature, sig: signature?.sig.replaceAll('=', '') }] }),
    ],
    [
      'in base64url',
      () =>
        spelled({
          signatures: [
            {
              ...signature,
              sig: Buffer.from(signature?.sig ?? '', 'base64').toString('base64url'),
            },
          ],
        }),
    ],
    [
      'with a letter spelled as an escape',
      () => file.replace('"payload"', String.raw`"p\u0061yload"`),
    ],
    [
      'with a short signature',
      () => spelled({ signatures: [{ ...signature, sig: Buffer.alloc(63).toString('base64') }] }),
    ],
    ['with an empty payload', () => spelled({ payload: '' })],
    [
      'as another type',
      () => spelled({ payloadType: 'application/vnd.concordat.receipt.v1+avro' }),
    ],
    ['in an array', () => `[${file}]`],
    ['followed by another', () => file + file],
    ['that is empty', () => ''],
    ['that is larger than the limit', () => ' '.repeat(DSSE_BYTES_MAX) + file],
  ])('%s is refused', (_name, text) => {
    expect(verdict(text())).toBe('CERTIFICATE_INVALID');
  });

  test.each<[name: string, by: Parameters<typeof certificateFile>[2]]>([
    ["another member's revocation service", { member: DE, role: 'revocation' }],
    ['the own node', { member: UN, role: 'node' }],
    ['the purge officer', { member: UN, role: 'purge-officer' }],
  ])('signed again by %s is refused', (_name, by) => {
    expect(verdict(certificateFile(federation, certificate, by))).toBe('CERTIFICATE_INVALID');
  });

  test('signed again by a key that the trust file does not hold is refused', () => {
    const head = Buffer.from('302e020100300506032b657004220420', 'hex');
    const der = Buffer.concat([head, sha256(utf8('a stranger'))]);
    const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    const stranger = { sign: ed25519Sign(privateKey), keyId: keyIdOf(rawPublicKey(privateKey)) };
    const { keyId: own } = federation.signer(UN, 'revocation');
    const value = { ...certificate, keyId: stranger.keyId };
    const signed = codec.decode(
      'Signed',
      signStatement(codec, stranger, 'Certificate', value).bytes,
    );
    if (!signed.ok) throw signed.error;
    expect(verdict(toDsseJson(signed.value))).toBe('CERTIFICATE_INVALID');
    expect(verdict(toDsseJson({ ...signed.value, keyId: own }))).toBe('CERTIFICATE_INVALID');
  });
});

test('a text is parsed back to exactly what was put into it', () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 80 });
  const signature = fc.uint8Array({ minLength: 64, maxLength: 64 });
  fc.assert(
    fc.property(bytes, signature, (payload, sig) => {
      const signed = { payloadType: 'a/b', payload, keyId: 'key_-1', signature: sig };
      expect(parseDsseJson(toDsseJson(signed))).toEqual({ ok: true, value: signed });
    }),
  );
});
