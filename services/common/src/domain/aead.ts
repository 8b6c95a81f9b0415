import { createCipheriv, createDecipheriv } from 'node:crypto';
import { concatBytes } from './bytes.js';

/** The one profile: AES-256-GCM, 96-bit nonce, 128-bit tag (NIST SP 800-38D). Nothing else is sealed or opened. */
export const KEY_BYTES = 32;
export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;

/**
 * @param secret a fresh key and nonce pair, never used for anything else
 * @throws TypeError for a key or nonce of another length: a mistake of ours
 */
export function aeadSeal(
  secret: { readonly key: Uint8Array; readonly nonce: Uint8Array },
  plaintext: Uint8Array,
  additionalData: Uint8Array,
): { readonly ciphertext: Uint8Array; readonly tag: Uint8Array } {
  if (!inProfile(secret)) throw new TypeError('expected a key of 32 bytes and a nonce of 12');
  const { key, nonce } = secret;
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(additionalData);
  const ciphertext = cipher.update(plaintext);
  cipher.final(); // of a stream mode nothing is left over
  return { ciphertext, tag: cipher.getAuthTag() };
}

/** What `aeadSeal` made, beside the nonce that it was made under. */
export interface SealedParts {
  readonly nonce: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly tag: Uint8Array;
}

/** How sealed bytes are kept and sent: nonce (12), ciphertext, tag (16). */
export function joinSealed({ nonce, ciphertext, tag }: SealedParts): Uint8Array {
  return concatBytes(nonce, ciphertext, tag);
}

/** The parts of what `joinSealed` made, in the same memory. Bytes too few for it have short parts, which nothing opens. */
export function splitSealed(bytes: Uint8Array): SealedParts {
  const end = Math.max(NONCE_BYTES, bytes.length - TAG_BYTES);
  return {
    nonce: bytes.subarray(0, NONCE_BYTES),
    ciphertext: bytes.subarray(NONCE_BYTES, end),
    tag: bytes.subarray(end),
  };
}

/** @returns undefined for every kind of failure: a caller learns that it failed, not how */
export function aeadOpen(
  key: Uint8Array,
  sealed: SealedParts,
  additionalData: Uint8Array,
): Uint8Array | undefined {
  const { nonce, ciphertext, tag } = sealed;
  // node:crypto takes shorter tags and any nonce; both make forging easier
  if (!inProfile({ key, nonce }) || tag.length !== TAG_BYTES) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(additionalData);
  decipher.setAuthTag(tag);
  try {
    const plaintext = decipher.update(ciphertext);
    decipher.final(); // throws for a wrong tag; of a stream mode nothing is left over
    return plaintext;
  } catch {
    // node:crypto reports a wrong tag only by throwing
    return undefined;
  }
}

function inProfile(secret: { readonly key: Uint8Array; readonly nonce: Uint8Array }): boolean {
  return secret.key.length === KEY_BYTES && secret.nonce.length === NONCE_BYTES;
}
