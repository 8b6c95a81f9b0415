import { describe, expect, test } from '@jest/globals';
import { ed25519 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { codec, memberOf, testFederation } from '../../../../test/support/federation.js';
import { NOW } from '../../../../test/support/origin.js';
import { equalBytes, sha256, utf8 } from './bytes.js';
import type { FreshnessAnswer, Receipt, Signed } from './records.js';
import { orderId } from '../../../../test/support/ledger.js';
import {
  ROLES,
  type Role,
  SUITE,
  type StatementName,
  pae,
  payloadType,
  signStatement,
  statementHash,
  verifyStatement,
} from './statement.js';

const [UN, DE] = [memberOf('un'), memberOf('de')];
const { federation, keys, signer } = testFederation([UN, DE]);
const { keyId } = signer(UN, 'revocation');

const answer: FreshnessAnswer = {
  suite: SUITE,
  federation: keys.federation,
  origin: UN,
  keyId,
  recipient: DE,
  nonce: new Uint8Array(16).fill(3),
  timeMs: NOW,
  epoch: 1,
  head: 4,
  headHash: sha256(utf8('head')),
};
const { bytes, hash } = signStatement(codec, signer(UN, 'revocation'), 'FreshnessAnswer', answer);

function signedOf(encoded: Uint8Array): Signed {
  const signed = codec.decode('Signed', encoded);
  if (!signed.ok) throw signed.error;
  return signed.value;
}

/** Signs whatever a test says, as `who` would. */
function forge(
  change: Partial<FreshnessAnswer>,
  how: { readonly role?: Role; readonly type?: string; readonly named?: string } = {},
): Uint8Array {
  const by = signer(UN, how.role ?? 'revocation');
  const payload = codec.encode('FreshnessAnswer', { ...answer, keyId: by.keyId, ...change });
  const type = how.type ?? payloadType('FreshnessAnswer');
  const signature = by.sign(pae(type, payload));
  return codec.encode('Signed', {
    payloadType: type,
    payload,
    keyId: how.named ?? by.keyId,
    signature,
  });
}

const check = (encoded: Uint8Array, member = UN) =>
  verifyStatement(codec, keys, 'FreshnessAnswer', encoded, { signer: member });

function codeOf(encoded: Uint8Array, member = UN): string {
  const verified = check(encoded, member);
  return verified.ok ? 'OK' : verified.error.code;
}

describe('DSSE pre-authentication encoding', () => {
  test('is that of the specification', () => {
    const encoded = pae('http://example.com/HelloWorld', utf8('hello world'));
    expect(Buffer.from(encoded).toString()).toBe(
      'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
    );
  });

  test('counts bytes, not characters', () => {
    const encoded = pae('é', utf8('ü'));
    expect(Buffer.from(encoded).toString()).toBe('DSSEv1 2 é 2 ü');
  });

  test('differs whenever type or payload differs', () => {
    const part = fc.string({ maxLength: 6 });
    fc.assert(
      fc.property(part, part, part, part, (t1, p1, t2, p2) => {
        const same = Buffer.compare(pae(t1, utf8(p1)), pae(t2, utf8(p2))) === 0;
        expect(same).toBe(t1 === t2 && p1 === p2);
      }),
    );
  });
});

test.each<[StatementName, string]>([
  ['PurgeOrder', 'application/vnd.concordat.purge-order.v1+avro'],
  ['Receipt', 'application/vnd.concordat.receipt.v1+avro'],
])('%s has payload type %s', (name, type) => {
  expect(payloadType(name)).toBe(type);
});

describe('a signed statement', () => {
  test('verifies to the value, the bytes that travelled, and their hash', () => {
    const verified = check(bytes);
    if (!verified.ok) throw verified.error;
    const { value } = verified;
    expect({ ...value.value, nonce: [...value.value.nonce] }).toMatchObject({
      head: 4,
      origin: UN,
    });
    expect(value.bytes).toBe(bytes);
    expect(equalBytes(value.hash, hash)).toBe(true);
    expect(equalBytes(value.hash, statementHash(signedOf(bytes)))).toBe(true);
    expect(value.key).toMatchObject({ member: UN, role: 'revocation', keyId });
  });

  test('is one that another implementation of Ed25519 believes too', () => {
    const { payload, payloadType: type, signature } = signedOf(bytes);
    const [member] = federation.members;
    const key = member?.keys.find(({ role }) => role === 'revocation');
    const raw = Buffer.from(key?.publicKey ?? '', 'base64url');
    expect(ed25519.verify(signature, pae(type, payload), raw, { zip215: false })).toBe(true);
  });

  test('with any byte changed is refused', () => {
    fc.assert(
      fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 0, max: 7 }), (at, bit) => {
        const changed = bytes.map((byte, i) => (i === at ? byte ^ (1 << bit) : byte));
        expect(codeOf(changed)).not.toBe('OK');
      }),
      { numRuns: 500 },
    );
  });

  test.each<[name: string, expected: string, encoded: () => Uint8Array]>([
    ['of another kind', 'RECORD_MALFORMED', () => forge({}, { type: payloadType('PurgeEntry') })],
    ['under no payload type of ours', 'RECORD_MALFORMED', () => forge({}, { type: 'text/plain' })],
    ['by a key that nobody knows', 'KEY_UNKNOWN', () => forge({}, { named: 'nobody' })],
    [
      'that names another key',
      'SIGNATURE_INVALID',
      () => forge({ keyId: signer(UN, 'node').keyId }),
    ],
    ['of another federation', 'RECORD_MALFORMED', () => forge({ federation: 'other' })],
    ['of another suite', 'RECORD_MALFORMED', () => forge({ suite: 'concordat-2' })],
    ['that speaks for another member', 'SENDER_NOT_TOPIC_OWNER', () => forge({ origin: DE })],
    ['that is cut short', 'RECORD_MALFORMED', () => bytes.subarray(0, -1)],
    ['with bytes after it', 'RECORD_MALFORMED', () => Uint8Array.of(...bytes, 0)],
    ['that is nothing', 'RECORD_MALFORMED', () => new Uint8Array()],
  ])('%s is %s', (_name, expected, encoded) => {
    expect(codeOf(encoded())).toBe(expected);
  });

  test('is refused from whom it is not expected', () => {
    expect(codeOf(bytes, DE)).toBe('SENDER_NOT_TOPIC_OWNER');
  });

  test.each(ROLES)('by role %s counts only if that role may sign it', (role) => {
    expect(codeOf(forge({}, { role }))).toBe(role === 'revocation' ? 'OK' : 'KEY_ROLE_WRONG');
  });

  test('is never made under the name of another key', () => {
    const other = { ...answer, keyId: 'other' };
    expect(() => {
      signStatement(codec, signer(UN, 'revocation'), 'FreshnessAnswer', other);
    }).toThrow(TypeError);
  });
});

test('a receipt speaks for its holder, not for the origin that it answers', () => {
  const node = signer(DE, 'node');
  const receipt: Receipt = {
    suite: SUITE,
    federation: keys.federation,
    origin: UN,
    keyId: node.keyId,
    holder: DE,
    epoch: 1,
    number: 1,
    previous: hash,
    timeMs: NOW,
    orderId: orderId(1),
    entryNumber: 1,
    entryHash: hash,
    stage: 'NOT_HELD',
    outcomes: [],
    holds: [],
    children: [],
    opened: null,
  };
  const own = signStatement(codec, node, 'Receipt', receipt).bytes;
  expect(verifyStatement(codec, keys, 'Receipt', own, { signer: DE }).ok).toBe(true);
  const forUn = signStatement(codec, node, 'Receipt', { ...receipt, holder: UN }).bytes;
  expect(verifyStatement(codec, keys, 'Receipt', forUn, { signer: DE })).toMatchObject({
    error: { code: 'SENDER_NOT_TOPIC_OWNER' },
  });
});
