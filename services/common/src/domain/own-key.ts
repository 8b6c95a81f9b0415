import { ConcordatError } from './errors.js';
import type { MemberId } from './ids.js';
import type { KeyDirectory, Role, Signer } from './statement.js';

/**
 * A service signs only with a key that everybody lists for it; otherwise all would refuse what it signs.
 *
 * @throws ConcordatError CONFIG_INVALID
 */
export function requireOwnKey(
  keys: KeyDirectory,
  { keyId }: Signer,
  own: { readonly member: MemberId; readonly role: Role },
): void {
  const known = keys.find(keyId);
  if (known?.member === own.member && known.role === own.role) return;
  throw new ConcordatError(
    'CONFIG_INVALID',
    `CONCORDAT_SIGNING_KEY_FILE: expected a key that the federation file lists for ${own.role} of ${own.member}, came ${keyId}`,
  );
}
