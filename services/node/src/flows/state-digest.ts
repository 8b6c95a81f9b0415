import { createHash } from 'node:crypto';
import { lengthPrefixed, utf8 } from '@concordat/common/domain/bytes.js';
import type { NodeContext } from './context.js';

/** SHA-256 over everything that a purge protects; equal before and after means that nothing of it changed. */
export interface StateDigest {
  /** ids and sections held as ciphertext, and ids and sections whose keys are held */
  readonly holdings: Uint8Array;
  readonly tombstones: Uint8Array;
  /** own heads and the heads of what is followed */
  readonly heads: Uint8Array;
  readonly receipts: Uint8Array;
}

export function stateDigest({ data, vault, state }: NodeContext): StateDigest {
  const held = (kind: string) => (row: { origin: string; id: Uint8Array; section: string }) =>
    lengthPrefixed(utf8(kind), utf8(row.origin), row.id, utf8(row.section));
  const heads = [
    ...state.chains.ownHeads(),
    ...state.chains.followedHeads(),
    ...data.chains.followedHeads(),
  ];
  return {
    holdings: digest([
      ...data.holdings().map(held('ciphertext')),
      ...vault.holdings().map(held('key')),
    ]),
    tombstones: digest([
      ...state.tombstones.all().map(({ origin, id }) => lengthPrefixed(utf8(origin), id)),
      ...state.sections.all().map(held('section')),
    ]),
    heads: digest(
      heads.map(({ chain, head }) =>
        lengthPrefixed(
          utf8(chain),
          utf8(`${String(head.epoch)}/${String(head.number)}`),
          head.hash,
        ),
      ),
    ),
    receipts: digest(state.purges.receipts().map((receipt) => lengthPrefixed(receipt))),
  };
}

function digest(parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return Uint8Array.from(hash.digest());
}
