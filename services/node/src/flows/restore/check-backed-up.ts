import { BoundedMap } from '@concordat/common/domain/bounded-map.js';
import { equalBytes, sha256 } from '@concordat/common/domain/bytes.js';
import { parseHeader } from '@concordat/common/domain/header.js';
import type { MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import { leafHash } from '@concordat/common/domain/merkle.js';
import type {
  FeedStatement,
  Header,
  RecordCodec,
  SealedSection,
} from '@concordat/common/domain/records.js';
import { isOpening } from '@concordat/common/domain/sealing.js';
import { type KeyDirectory, verifyStatement } from '@concordat/common/domain/statement.js';
import { feedTopic, purgeTopic } from '@concordat/common/domain/topics.js';
import { type GoneBecause, goneBecause } from '../../domain/purge/gone.js';
import type { BackedUpBatch, BackedUpRow, BackedUpRows } from '../../io/backup/backed-up-rows.js';
import type { EventBody } from '../../io/data/body.js';
import type { StateStore } from '../../io/state-store.js';

/**
 * KNOWN: it is here already · PURGED, RETENTION: it is gone for ever, or its term is over · UNPUBLISHED: an own event that
 * was never published · UNVERIFIED: not what its origin signed
 */
export type FilterReason = GoneBecause | 'KNOWN' | 'UNPUBLISHED' | 'UNVERIFIED';

/** Statements that are kept decoded; rows of one mostly follow each other. */
const STATEMENTS_KEPT_MAX = 256;

export interface Checker {
  readonly self: MemberId;
  readonly codec: RecordCodec;
  readonly keys: KeyDirectory;
  readonly state: StateStore;
  readonly nowMs: UnixMs;
}

export interface Admitted {
  readonly row: BackedUpRow;
  readonly from: BackedUpBatch;
  /** as its origin signed it, whatever the backup says */
  readonly body: EventBody;
}

/**
 * Lets rows of a backup in that are still to be held, and are, byte for byte, what their origin signed: a backup was
 * outside of the node, and nothing in it is believed.
 */
export class BackupChecker {
  readonly #about: Checker;
  readonly #backup: BackedUpRows;
  readonly #batches = new BoundedMap<number, BackedUpBatch>(STATEMENTS_KEPT_MAX);
  readonly #feeds = new BoundedMap<number, FeedStatement>(STATEMENTS_KEPT_MAX);
  readonly #ownsNothing: boolean;

  constructor(about: Checker, backup: BackedUpRows) {
    this.#about = about;
    this.#backup = backup;
    this.#ownsNothing = about.state.own.count() === 0;
  }

  check(row: BackedUpRow): Admitted | Exclude<FilterReason, 'KNOWN'> {
    const { state, self, codec } = this.#about;
    const gone = goneBecause(state.tombstones.causeOf(row.origin, row.id));
    if (gone) return gone;
    const header = parseHeader(codec, row.body.header);
    const from = this.#batches.get(row.batch) ?? this.#backup.batch(row.batch);
    if (!header.ok || !from || from.origin !== row.origin) return 'UNVERIFIED';
    this.#batches.set(row.batch, from);
    if (header.value.origin !== row.origin || header.value.id !== row.id) return 'UNVERIFIED';
    return row.origin === self
      ? this.#own(row, from, header.value)
      : this.#received(row, from, header.value);
  }

  /** Without its state the node cannot tell yet: when the ledger is replayed, what does not fit it is dropped. */
  #own(row: BackedUpRow, from: BackedUpBatch, header: Header): ReturnType<BackupChecker['check']> {
    const { state } = this.#about;
    const { audience, sections } = row.body;
    const event = state.own.event(row.id);
    if (!event && !this.#ownsNothing) return 'UNPUBLISHED';
    const signed = event && state.own.block(event)?.leafHashes[event.leaf];
    const fits = signed === undefined || equalBytes(signed, leafHash(row.body.header));
    const all = header.sections.map(({ name }) => name);
    if (!fits || !audience || !isOpening('audience', header.audience, audience))
      return 'UNVERIFIED';
    if (!areSigned(header, sections, all)) return 'UNVERIFIED';
    const { category } = header;
    return { row, from, body: { category, header: row.body.header, audience, sections } };
  }

  #received(
    row: BackedUpRow,
    from: BackedUpBatch,
    header: Header,
  ): ReturnType<BackupChecker['check']> {
    const { nowMs, state } = this.#about;
    const release = this.#feedOf(row, from)?.releases[row.place];
    const fits =
      release?.id === row.id && equalBytes(release.headerHash, leafHash(row.body.header));
    if (!fits) return 'UNVERIFIED';
    if (release.deleteByMs <= nowMs) return 'RETENTION';
    const released = row.state === 'refused' ? [] : release.sections;
    const gone = state.sections.of(row.origin, row.id);
    const left = released.filter((name) => !gone.has(name));
    if (released.length > 0 && left.length === 0) return 'PURGED';
    const sections = row.body.sections.filter(({ name }) => !gone.has(name));
    const expected = this.#knowsPurges(row.origin) ? left : namesOf(sections, left);
    if (!areSigned(header, sections, expected)) return 'UNVERIFIED';
    const { category } = header;
    return { row, from, body: { category, header: row.body.header, release, sections } };
  }

  /** Without its state the node cannot tell yet which sections were taken back; the purge ledger says so before the first reading. */
  #knowsPurges(origin: MemberId): boolean {
    const { state, self } = this.#about;
    return state.chains.followedHead(purgeTopic({ origin, recipient: self })).number > 0;
  }

  /** The feed statement that this row came with, if the origin signed it for us. */
  #feedOf({ batch, origin }: BackedUpRow, from: BackedUpBatch): FeedStatement | undefined {
    const known = this.#feeds.get(batch);
    if (known) return known;
    const { codec, keys, self } = this.#about;
    if (!from.statement) return undefined;
    const feed = verifyStatement(codec, keys, 'FeedStatement', from.statement, { signer: origin });
    if (!feed.ok || feed.value.value.recipient !== self) return undefined;
    const { lane, epoch, number } = feed.value.value;
    const chain = `${feedTopic({ origin, recipient: self })}/${String(lane)}`;
    if (from.chain !== chain || from.epoch !== epoch || from.number !== number) return undefined;
    this.#feeds.set(batch, feed.value.value);
    return feed.value.value;
  }
}

function namesOf(sections: readonly SealedSection[], among: readonly string[]): string[] {
  return among.filter((name) => sections.some((one) => one.name === name));
}

/** Exactly these sections, each with the ciphertext that the header signs. */
function areSigned(
  header: Header,
  sections: readonly SealedSection[],
  expected: readonly string[],
): boolean {
  if (sections.length !== expected.length) return false;
  return expected.every((name) => {
    const given = sections.find((one) => one.name === name);
    const signed = header.sections.find((one) => one.name === name);
    return given && signed && equalBytes(sha256(given.sealed), signed.ciphertextHash);
  });
}
