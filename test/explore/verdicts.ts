import { generateKeyPairSync } from 'node:crypto';
import { EMPTY_HEAD, nextLink } from '@concordat/common/domain/chain.js';
import { ZERO_HASH } from '@concordat/common/domain/bytes.js';
import type { EventId, MemberId, OrderId, UnixMs } from '@concordat/common/domain/ids.js';
import { keyIdOf, rawPublicKey } from '@concordat/common/domain/keys.js';
import type { RecordCodec } from '@concordat/common/domain/records.js';
import { ed25519Sign, ed25519Verify } from '@concordat/common/domain/signature.js';
import {
  type KeyDirectory,
  type KnownKey,
  type Role,
  SUITE,
  type Signer,
  signStatement,
  verifyStatement,
} from '@concordat/common/domain/statement.js';

const A = 'aa' as MemberId;
const B = 'bb' as MemberId;

/** Purge entries that B may be sent in A's name. */
export type EntryKind = 'true' | 'by a stranger' | 'by another role' | 'changed on the way';

/** What the shipped check says of each, with real keys: asked once, for a bad signature has no state. */
export function entryVerdicts(codec: RecordCodec): Readonly<Record<EntryKind, boolean>> {
  const known = new Map<string, KnownKey>();
  const keys: KeyDirectory = { federation: 'explored', find: (keyId) => known.get(keyId) };
  const signerOf = (member: MemberId, role: Role): Signer => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const keyId = keyIdOf(rawPublicKey(publicKey));
    known.set(keyId, { member, role, keyId, verify: ed25519Verify(publicKey) });
    return { keyId, sign: ed25519Sign(privateKey) };
  };
  const entryBy = (signer: Signer): Uint8Array =>
    signStatement(codec, signer, 'PurgeEntry', {
      ...{ suite: SUITE, federation: keys.federation, origin: A, keyId: signer.keyId },
      ...nextLink(EMPTY_HEAD),
      ...{ timeMs: 1 as UnixMs, recipient: B, part: 1, parts: 1, deadlineMs: 2 as UnixMs },
      orderId: '00000000-0000-4000-8000-000000000001' as OrderId,
      sealRecordHash: ZERO_HASH,
      ids: ['01900000-0000-7000-8000-000000000001' as EventId],
      ...{ sections: [], recipientsAll: true },
    }).bytes;
  const isAccepted = (bytes: Uint8Array): boolean =>
    verifyStatement(codec, keys, 'PurgeEntry', bytes, { signer: A }).ok;
  const rightful = entryBy(signerOf(A, 'revocation'));
  const changed = Uint8Array.from(rightful);
  changed[changed.length - 1] = (changed[changed.length - 1] ?? 0) ^ 1;
  return {
    true: isAccepted(rightful),
    'by a stranger': isAccepted(entryBy(signerOf(B, 'revocation'))),
    'by another role': isAccepted(entryBy(signerOf(A, 'consent'))),
    'changed on the way': isAccepted(changed),
  };
}
