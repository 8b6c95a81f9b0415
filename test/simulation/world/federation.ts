import { createHmac } from 'node:crypto';
import { type Federation, KeyRing } from '@concordat/common/domain/federation.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { Role, Signer } from '@concordat/common/domain/statement.js';
import {
  type Officer,
  type TestFederation,
  bytesOf,
  memberOf,
  testFederation,
} from '../../support/federation.js';

export const MEMBERS: readonly MemberId[] = ['un', 'de', 'fr', 'nl', 'be'].map(memberOf);

const everywhere = { node: '127.0.0.1:1', consent: '127.0.0.1:2', revocation: '127.0.0.1:3' };

/** The federation of a simulation: every member publishes. */
export interface SimulatedFederation {
  readonly federation: Federation;
  readonly keys: KeyRing;
  signer(member: MemberId, role: Role, officer?: Officer): Signer;
}

/** With the signatures that are shipped: Ed25519. */
export function signedFederation(): TestFederation & SimulatedFederation {
  const members = testFederation(MEMBERS);
  const federation = {
    ...members.federation,
    members: members.federation.members.map((one) => ({ ...one, services: everywhere })),
  };
  return { ...members, federation, keys: new KeyRing(federation) };
}

/**
 * With a double that costs a tenth: HMAC-SHA-512 under a secret that belongs to the key id. As with Ed25519, who has not got
 * a key's secret makes no signature that fits it, and 64 bytes travel; unlike it, who verifies could sign.
 */
export function macFederation(real: SimulatedFederation): SimulatedFederation {
  const federation: Federation = {
    ...real.federation,
    members: real.federation.members.map((member) => ({
      ...member,
      keys: member.keys.map((key) => {
        const sign = macOf(key.keyId);
        return {
          ...key,
          verify: (message, signature) => Buffer.compare(sign(message), signature) === 0,
        };
      }),
    })),
  };
  const signers = new Map<string, Signer>();
  return {
    federation,
    keys: new KeyRing(federation),
    signer: (...who) => {
      const { keyId } = real.signer(...who);
      const signer = signers.get(keyId) ?? { keyId, sign: macOf(keyId) };
      signers.set(keyId, signer);
      return signer;
    },
  };
}

function macOf(keyId: string): Signer['sign'] {
  const secret = bytesOf(`mac ${keyId}`);
  return (message) => Uint8Array.from(createHmac('sha512', secret).update(message).digest());
}
