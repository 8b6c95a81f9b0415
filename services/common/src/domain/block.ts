import { equalBytes, sha256 } from './bytes.js';
import { ConcordatError, type ConcordatErrorCode } from './errors.js';
import { parseHeader } from './header.js';
import type { Hash, MemberId } from './ids.js';
import { leafHash, merkleRoot, partialRoot } from './merkle.js';
import type {
  BlockRef,
  Envelope,
  FeedBlock,
  Header,
  PartialBlock,
  RecordCodec,
  Release,
  SealedSection,
} from './records.js';
import { type Result, err, ok } from './result.js';
import { ENVELOPE_SEALED_BYTES_MAX } from './sealing.js';
import { type KeyDirectory, type Verified, verifyStatement } from './statement.js';

export const BLOCK_ENVELOPES_MAX = 256;
/** At most this many bytes of envelopes in one block; one larger envelope fills a block alone. */
export const BLOCK_BYTES_MAX = 512 * 1024;

export interface ReadEnvelope {
  readonly leaf: number;
  readonly header: Header;
  /** its leaf in the block's tree */
  readonly headerHash: Hash;
  readonly envelope: Envelope;
}

export interface ReadBlock {
  readonly statement: Verified<'BlockStatement'>;
  readonly envelopes: readonly ReadEnvelope[];
}

export function blockRef(statement: Pick<Verified<'BlockStatement'>, 'value' | 'hash'>): BlockRef {
  const { lane, epoch, number } = statement.value;
  return { lane, epoch, number, hash: statement.hash };
}

export function sameBlock(a: BlockRef, b: BlockRef): boolean {
  const place = a.lane === b.lane && a.epoch === b.epoch && a.number === b.number;
  return place && equalBytes(a.hash, b.hash);
}

function refuse(code: ConcordatErrorCode, message: string): Result<never, ConcordatError> {
  return err(new ConcordatError(code, message));
}

/** A whole block of `origin`: signature, tree, headers and ciphertext hashes. Nothing is opened. */
export function readBlock(
  codec: RecordCodec,
  keys: KeyDirectory,
  bytes: Uint8Array,
  origin: MemberId,
): Result<ReadBlock, ConcordatError> {
  const block = codec.decode('Block', bytes);
  if (!block.ok) return block;
  const statement = verifyStatement(codec, keys, 'BlockStatement', block.value.statement, {
    signer: origin,
  });
  if (!statement.ok) return statement;
  const { envelopes } = block.value;
  const { treeSize, root } = statement.value.value;
  if (envelopes.length !== treeSize || treeSize > BLOCK_ENVELOPES_MAX) {
    return refuse('BLOCK_ROOT_MISMATCH', `expected ${String(treeSize)} envelopes`);
  }
  const leaves = envelopes.map((envelope) => ({ envelope, headerHash: leafHash(envelope.header) }));
  if (!equalBytes(merkleRoot(leaves.map(({ headerHash }) => headerHash)), root)) {
    return refuse('BLOCK_ROOT_MISMATCH', 'the headers do not lead to the signed root');
  }
  const read: ReadEnvelope[] = [];
  for (const [leaf, { envelope, headerHash }] of leaves.entries()) {
    const header = parseHeader(codec, envelope.header);
    if (!header.ok) return header;
    if (header.value.origin !== origin) {
      return refuse('SENDER_NOT_TOPIC_OWNER', `leaf ${String(leaf)} names another origin`);
    }
    const problem = sectionsProblem(header.value, envelope.sections, sectionNames(header.value));
    if (problem) return refuse('ENVELOPE_MALFORMED', `leaf ${String(leaf)}: ${problem}`);
    read.push({ leaf, header: header.value, headerHash, envelope });
  }
  return ok({ statement: statement.value, envelopes: read });
}

function sectionNames(header: Header): string[] {
  return header.sections.map(({ name }) => name);
}

/** Exactly the sections `names`, each with the hash that the header signs, and not too large together. */
function sectionsProblem(
  header: Header,
  sections: readonly SealedSection[],
  names: readonly string[],
): string | undefined {
  if (sections.length !== names.length) return `expected ${String(names.length)} sections`;
  let bytes = 0;
  for (const name of names) {
    const given = sections.find((section) => section.name === name);
    const signed = header.sections.find((section) => section.name === name);
    if (!given || !signed) return 'a section is missing';
    if (!equalBytes(sha256(given.sealed), signed.ciphertextHash)) {
      return 'a ciphertext is not the one that the header signs';
    }
    bytes += given.sealed.length;
  }
  return bytes > ENVELOPE_SEALED_BYTES_MAX ? 'more ciphertext than the limit' : undefined;
}

export interface ReceivedRelease {
  readonly release: Release;
  readonly header: Header;
  readonly headerBytes: Uint8Array;
  readonly sections: readonly SealedSection[];
  readonly treeSize: number;
}

export interface ReadFeedBlock {
  readonly statement: Verified<'FeedStatement'>;
  readonly releases: readonly ReceivedRelease[];
}

/**
 * A feed block of `origin` for `recipient`: both signatures, the partial trees, and that releases, headers and
 * ciphertexts fit one to one. A section that was not released must not be there.
 */
export function readFeedBlock(
  codec: RecordCodec,
  keys: KeyDirectory,
  bytes: Uint8Array,
  parties: { readonly origin: MemberId; readonly recipient: MemberId },
): Result<ReadFeedBlock, ConcordatError> {
  const block = codec.decode('FeedBlock', bytes);
  if (!block.ok) return block;
  const { origin, recipient } = parties;
  const statement = verifyStatement(codec, keys, 'FeedStatement', block.value.statement, {
    signer: origin,
  });
  if (!statement.ok) return statement;
  if (statement.value.value.recipient !== recipient) {
    return refuse('NOT_ADDRESSED_HERE', `expected a feed for ${recipient}, got one for another`);
  }
  const received = matchReleases(codec, keys, block.value, statement.value, origin);
  return received.ok ? ok({ statement: statement.value, releases: received.value }) : received;
}

function matchReleases(
  codec: RecordCodec,
  keys: KeyDirectory,
  block: FeedBlock,
  statement: Verified<'FeedStatement'>,
  origin: MemberId,
): Result<ReceivedRelease[], ConcordatError> {
  const { releases } = statement.value;
  const named = new Map(releases.map((one) => [placeKey(one.block, one.leaf), one]));
  const received: ReceivedRelease[] = [];
  for (const partial of block.blocks) {
    const proven = provePartialBlock(codec, keys, partial, origin);
    if (!proven.ok) return proven;
    for (const { leaf, header: headerBytes, sections } of partial.envelopes) {
      const release = named.get(placeKey(proven.value.ref, leaf));
      if (!release || !sameBlock(release.block, proven.value.ref)) {
        return refuse('RELEASE_UNKNOWN', 'an envelope that no release names');
      }
      const header = parseHeader(codec, headerBytes);
      if (!header.ok) return header;
      const fits =
        header.value.id === release.id &&
        header.value.origin === origin &&
        equalBytes(proven.value.leaves.get(leaf) ?? EMPTY, release.headerHash);
      if (!fits) return refuse('ENVELOPE_MALFORMED', 'a release names another header');
      const problem = sectionsProblem(header.value, sections, release.sections);
      if (problem) return refuse('ENVELOPE_MALFORMED', problem);
      const { treeSize } = proven.value;
      received.push({ release, header: header.value, headerBytes, sections, treeSize });
    }
  }
  const complete = received.length === releases.length;
  const distinct = new Set(received.map(({ release }) => release)).size === releases.length;
  if (!complete || !distinct) {
    return refuse('RELEASE_UNKNOWN', 'a release without its envelope, or one named twice');
  }
  return ok(received);
}

function placeKey({ lane, epoch, number }: BlockRef, leaf: number): string {
  return `${String(lane)}/${String(epoch)}/${String(number)}/${String(leaf)}`;
}

const EMPTY = new Uint8Array();

/** What is there of an origin's block; its hashes lead to the root that the origin signed. */
export interface ProvenBlock {
  readonly ref: BlockRef;
  readonly treeSize: number;
  /** of the headers that are there */
  readonly leaves: ReadonlyMap<number, Hash>;
}

/** A part of a block of `origin`: its signature, and that the headers lead to its root. */
export function provePartialBlock(
  codec: RecordCodec,
  keys: KeyDirectory,
  partial: PartialBlock,
  origin: MemberId,
): Result<ProvenBlock, ConcordatError> {
  const statement = verifyStatement(codec, keys, 'BlockStatement', partial.statement, {
    signer: origin,
  });
  if (!statement.ok) return statement;
  const { treeSize, root } = statement.value.value;
  const leaves = new Map<number, Hash>();
  for (const { leaf, header } of partial.envelopes) leaves.set(leaf, leafHash(header));
  const rebuilt =
    treeSize <= BLOCK_ENVELOPES_MAX && leaves.size === partial.envelopes.length
      ? partialRoot(treeSize, leaves, partial.proof)
      : undefined;
  if (!rebuilt || !equalBytes(rebuilt, root)) {
    return refuse('BLOCK_ROOT_MISMATCH', 'the headers do not lead to the signed root');
  }
  return ok({ ref: blockRef(statement.value), treeSize, leaves });
}
