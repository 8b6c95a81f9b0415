import { aeadOpen, aeadSeal, joinSealed, splitSealed } from './aead.js';
import { equalBytes, lengthPrefixed, newBytes, sha256, uint32, utf8 } from './bytes.js';
import { type EventId, type Hash, type MemberId, idBytes } from './ids.js';
import type { Opening } from './records.js';

export const HEADER_VERSION = 1;

/** Padded sizes of a section's plaintext, in bytes: size tells a bucket, not a length. */
const BUCKETS = [256, 1, 4, 16, 64, 192].map((n, i) => (i === 0 ? n : n * 1024));

/** At most this many bytes of sealed sections in one envelope. */
export const ENVELOPE_SEALED_BYTES_MAX = 240 * 1024;

/** The largest plaintext of a section, in bytes: the last bucket less the padding mark. */
export const SECTION_PLAINTEXT_BYTES_MAX = 192 * 1024 - 1;

/** Where a section belongs; bound to its ciphertext as additional data. */
export interface SectionPlace {
  readonly origin: MemberId;
  readonly id: EventId;
  readonly section: string;
  readonly schemaHash: Hash;
}

function additionalData(place: SectionPlace): Uint8Array {
  return lengthPrefixed(
    uint32(HEADER_VERSION),
    utf8(place.origin),
    idBytes(place.id),
    utf8(place.section),
    place.schemaHash,
  );
}

/** 0x80, then zeros, to the next bucket (ISO/IEC 9797-1 padding method 2); undefined when too large. */
export function pad(plaintext: Uint8Array): Uint8Array | undefined {
  const bucket = BUCKETS.find((size) => size > plaintext.length);
  if (bucket === undefined) return undefined;
  const padded = newBytes(bucket);
  padded.set(plaintext);
  padded[plaintext.length] = 0x80;
  return padded;
}

export function unpad(padded: Uint8Array): Uint8Array | undefined {
  let end = padded.length - 1;
  while (end >= 0 && padded[end] === 0) end -= 1;
  return padded[end] === 0x80 ? padded.subarray(0, end) : undefined;
}

/**
 * AES-256-GCM of the padded section: nonce (12), ciphertext, tag (16).
 *
 * @param secret a fresh random key and nonce, never used for anything else
 * @returns undefined when the plaintext is larger than SECTION_PLAINTEXT_BYTES_MAX
 */
export function sealSection(
  plaintext: Uint8Array,
  place: SectionPlace,
  secret: { readonly key: Uint8Array; readonly nonce: Uint8Array },
): Uint8Array | undefined {
  const padded = pad(plaintext);
  if (!padded) return undefined;
  const parts = aeadSeal(secret, padded, additionalData(place));
  return joinSealed({ nonce: secret.nonce, ...parts });
}

/** @returns undefined for every kind of failure: a caller learns that it failed, not how */
export function openSection(
  sealed: Uint8Array,
  place: SectionPlace,
  key: Uint8Array,
): Uint8Array | undefined {
  const padded = aeadOpen(key, splitSealed(sealed), additionalData(place));
  return padded && unpad(padded);
}

/** GCM does not commit to its key; this does, so that nobody can hand out two keys for one ciphertext. */
export function keyCommitment(place: SectionPlace, key: Uint8Array): Hash {
  return sha256(
    lengthPrefixed(
      utf8('concordat section key v1'),
      utf8(place.origin),
      idBytes(place.id),
      utf8(place.section),
      key,
    ),
  );
}

/** What a salted commitment in a header is about. */
export type CommitmentLabel = 'audience' | 'derived-from';

const LABELS: Readonly<Record<CommitmentLabel, Uint8Array>> = {
  audience: utf8('concordat commitment v1 audience'),
  'derived-from': utf8('concordat commitment v1 derived-from'),
};

export function commit(label: CommitmentLabel, opening: Opening): Hash {
  return sha256(lengthPrefixed(LABELS[label], opening.salt, opening.value));
}

export function isOpening(label: CommitmentLabel, commitment: Hash, opening: Opening): boolean {
  return equalBytes(commit(label, opening), commitment);
}

/** The salt of slot `leaf`: 16 bytes that tell nothing about the seed or the other salts. */
export function slotSalt(seed: Uint8Array, leaf: number): Uint8Array {
  return slotSalts(seed)(leaf);
}

const HMAC_BLOCK_BYTES = 64;
const SLOT_LABEL = utf8('concordat slot v1');

/**
 * The salts of one record's slots: HMAC-SHA-256 under the seed (RFC 2104), cut to 16 bytes. Two hashes in one call each, over
 * bytes that stay but for the leaf: an Hmac object for every slot costs twice as much, and a block has 256.
 *
 * @param seed 32 bytes
 */
export function slotSalts(seed: Uint8Array): (leaf: number) => Uint8Array {
  if (seed.length > HMAC_BLOCK_BYTES) throw new TypeError('a seed has 32 bytes');
  const inner = new Uint8Array(HMAC_BLOCK_BYTES + SLOT_LABEL.length + 4).fill(0x36, 0, 64);
  const outer = new Uint8Array(HMAC_BLOCK_BYTES + 32).fill(0x5c, 0, 64);
  for (const [at, byte] of seed.entries()) {
    inner[at] = byte ^ 0x36;
    outer[at] = byte ^ 0x5c;
  }
  inner.set(SLOT_LABEL, HMAC_BLOCK_BYTES);
  return (leaf) => {
    inner.set(uint32(leaf), HMAC_BLOCK_BYTES + SLOT_LABEL.length);
    outer.set(sha256(inner), HMAC_BLOCK_BYTES);
    return sha256(outer).slice(0, 16);
  };
}
