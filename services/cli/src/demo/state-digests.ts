import type { MemberClients } from './clients.js';
import { ASK } from './settle.js';

/** The digests of one node as short texts, by what they cover. */
export async function digestsOf({ operator }: MemberClients): Promise<Record<string, string>> {
  const { holdings, tombstones, heads, receipts } = await operator.stateDigest({}, ASK);
  const short = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
  return {
    holdings: short(holdings),
    tombstones: short(tombstones),
    heads: short(heads),
    receipts: short(receipts),
  };
}

export function changedDigests(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): string[] {
  return Object.keys(before).filter((name) => before[name] !== after[name]);
}

export function joined(digests: Readonly<Record<string, string>>): string {
  return Object.values(digests).join('.');
}
