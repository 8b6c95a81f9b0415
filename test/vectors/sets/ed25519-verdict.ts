import type { KeyObject } from 'node:crypto';
import { bytesKey } from '@concordat/common/domain/bytes.js';
import { registerPublicKey } from '@concordat/common/domain/keys.js';
import { isSignedBy } from '@concordat/common/domain/signature.js';

const registered = new Map<string, KeyObject | undefined>();

/** The key as our services take it into use, or undefined when they refuse it. Sets repeat keys, so each is looked at once. */
export function ownKey(raw: Uint8Array): KeyObject | undefined {
  const id = bytesKey(raw);
  if (!registered.has(id)) {
    const key = registerPublicKey(raw);
    registered.set(id, key.ok ? key.value : undefined);
  }
  return registered.get(id);
}

/** What a verifier of ours answers who is given the key for the first time. */
export function isTaken(raw: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const key = ownKey(raw);
  return key !== undefined && isSignedBy(key, message, signature);
}
