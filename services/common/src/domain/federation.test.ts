import { describe, expect, test } from '@jest/globals';
import { ed25519 } from '@noble/curves/ed25519.js';
import { KeyRing, parseFederation, parseTrust, trustJson } from './federation.js';
import { keyIdOf } from './keys.js';

type Json = Record<string, unknown>;

function key(seed: number, role: string) {
  const raw = ed25519.getPublicKey(new Uint8Array(32).fill(seed));
  return { role, keyId: keyIdOf(raw), publicKey: Buffer.from(raw).toString('base64url') };
}

const CA = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
const de = {
  id: 'de',
  services: { node: '127.0.0.1:7101', revocation: 'localhost:7103' },
  keys: [key(1, 'node'), key(2, 'purge-officer')],
};
const fr = { id: 'fr', services: { node: '[::1]:7201' }, keys: [key(3, 'node')] };
const file = { federation: 'eu-ct', ca: CA, members: [de, fr] };
const withMember = (change: Json) => ({ ...file, members: [{ ...de, ...change }, fr] });
const withKey = (change: Json) => withMember({ keys: [{ ...key(1, 'node'), ...change }] });

test('a federation file is read with its members, endpoints and keys', () => {
  const parsed = parseFederation(file);
  expect(parsed).toMatchObject({ ok: true, value: { federation: 'eu-ct', members: [de, fr] } });
});

test('a key may name the person who signs with it, also in the trust file', () => {
  const signed = withKey({ person: 'officer-1' });
  const parsed = parseFederation(signed);
  if (!parsed.ok) throw parsed.error;
  const trust = parseTrust(trustJson(parsed.value));
  if (!trust.ok) throw trust.error;
  const ring = new KeyRing(trust.value);
  expect(ring.find(key(1, 'node').keyId)).toMatchObject({ member: 'de', person: 'officer-1' });
  expect(ring.find(key(3, 'node').keyId)).not.toHaveProperty('person');
});

describe('parseFederation refuses, and says where', () => {
  test.each<[name: string, at: string, value: unknown]>([
    ['a list', 'the file: expected an object', []],
    ['null', 'the file: expected an object', null],
    ['an unknown field', 'extra: expected one of', { ...file, extra: 1 }],
    ['a missing field', 'expected a field ca', { federation: 'x', members: [] }],
    ['a field named __proto__', '__proto__', JSON.parse('{"__proto__":{},"ca":"","members":[]}')],
    ['a bad name', 'federation: expected a name', { ...file, federation: 'EU CT' }],
    ['a CA that is no certificate', 'ca: expected one certificate', { ...file, ca: 'x' }],
    ['two CAs', 'ca: expected one certificate', { ...file, ca: CA + CA }],
    ['members that are no list', 'members: expected a list', { ...file, members: {} }],
    ['a bad member id', 'members[0].id: expected a member id', withMember({ id: 'De' })],
    ['a member twice', 'members: expected each member once', withMember({ id: 'fr' })],
    ['no node', 'members[0].services', withMember({ services: {} })],
    [
      'an unknown service',
      'members[0].services.audit',
      withMember({ services: { ...de.services, audit: 'h:1' } }),
    ],
    [
      'an address without a port',
      'members[0].services.node: expected host:port',
      withMember({ services: { node: 'localhost' } }),
    ],
    [
      'a port out of range',
      'members[0].services.node: expected a port',
      withMember({ services: { node: 'localhost:65536' } }),
    ],
    ['a person that is a name', 'members[0].keys[0].person', withKey({ person: 'Jane Doe' })],
    ['an unknown role', 'members[0].keys[0].role', withKey({ role: 'root' })],
    ['a foreign key id', 'members[0].keys[0].keyId', withKey({ keyId: key(9, 'node').keyId })],
    [
      'a key with padding',
      'members[0].keys[0].publicKey',
      withKey({ publicKey: `${key(1, 'node').publicKey}=` }),
    ],
    [
      'a second spelling of base64url',
      'members[0].keys[0].publicKey: expected the one',
      withKey({ publicKey: `${'A'.repeat(42)}B` }),
    ],
    [
      'a weak key',
      'members[0].keys[0].publicKey: expected a key that can be trusted',
      withKey({ publicKey: 'A'.repeat(43) }),
    ],
    [
      'one key for two members',
      'members: expected each key once',
      withMember({ keys: [key(3, 'node')] }),
    ],
    [
      'one key for two roles',
      'members: expected each key once',
      withMember({ keys: [key(1, 'node'), key(1, 'consent')] }),
    ],
  ])('%s', (_name, at, value) => {
    const parsed = parseFederation(value);
    expect(parsed).toMatchObject({ ok: false, error: { code: 'FEDERATION_INVALID' } });
    expect(parsed.ok ? '' : parsed.error.message).toContain(at);
  });
});

describe('trust.json', () => {
  const federation = parseFederation(file);
  if (!federation.ok) throw federation.error;

  test('is the public keys of the federation file', () => {
    const json = JSON.parse(JSON.stringify(trustJson(federation.value)));
    expect(parseTrust(json)).toMatchObject({
      ok: true,
      value: { federation: 'eu-ct', members: [{ id: 'de' }, { id: 'fr' }] },
    });
    expect(JSON.stringify(json)).not.toContain('services');
  });

  test('is refused with a code of its own', () => {
    expect(parseTrust(file)).toMatchObject({ ok: false, error: { code: 'TRUST_INVALID' } });
  });

  test('makes a key ring that finds each key with its member and role, and no other', () => {
    const ring = new KeyRing(federation.value);
    expect(ring.find(key(2, '').keyId)).toMatchObject({ member: 'de', role: 'purge-officer' });
    expect(ring.find(key(3, '').keyId)).toMatchObject({ member: 'fr', role: 'node' });
    expect(ring.find('__proto__')).toBeUndefined();
  });
});
