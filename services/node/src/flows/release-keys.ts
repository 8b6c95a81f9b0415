import {
  type ReleaseDecision,
  type Terms,
  meantFor,
} from '@concordat/common/domain/decide-release.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId, MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import { takesSection } from '@concordat/common/domain/purge-order.js';
import type { Release, SlotTable } from '@concordat/common/domain/records.js';
import { openSlot, readSlots, slotRoot } from '@concordat/common/domain/slots.js';
import { verifyStatement } from '@concordat/common/domain/statement.js';
import { ledgerTopic } from '@concordat/common/domain/topics.js';
import { grouped } from '@concordat/common/io/store/packed.js';
import { keyStop } from '../domain/purge/leaving.js';
import type { BlockedCover } from '../io/state/blocked-covers.js';
import { type OwnBlock, type OwnEvent, blockKey } from '../io/state/own-publications.js';
import type { NodeContext } from './context.js';
import { appendLedger } from './ledger-writer.js';
import { type RecordedRelease, releasesOfBlock } from './recorded-releases.js';

/** Why a release is withdrawn of which narrower covers take every section. */
const COVER_SEALED = 'COVER_SEALED';
/** Nothing more goes to a member that leaves; what it holds is taken back by orders. */
const MEMBER_LEAVES: KeyOutcome = { kind: 'withdrawn', reason: 'MEMBER_LEAVES', seals: [] };
/** Wanted releases in one request (DESIGN 4). */
export const RELEASES_MAX = 4_096;

export interface WantedStatement {
  readonly statement: Uint8Array;
  /** bit i, least significant first: release i is wanted */
  readonly wanted: Uint8Array;
}

export type KeyOutcome =
  | {
      readonly kind: 'released';
      readonly keys: ReadonlyMap<string, Uint8Array>;
      /** ledger numbers of the records that name this release */
      readonly records: readonly number[];
      /** of narrower covers, which take the sections without a key */
      readonly seals: readonly Uint8Array[];
    }
  | { readonly kind: 'shredded'; readonly seal: Uint8Array }
  | { readonly kind: 'withdrawn'; readonly reason: string; readonly seals: readonly Uint8Array[] }
  | { readonly kind: 'refused'; readonly reason: string };

type Released = Extract<KeyOutcome, { readonly kind: 'released' }>;

export interface KeyAnswer {
  readonly statement: number;
  readonly release: number;
  readonly outcome: KeyOutcome;
}

export interface KeyAnswers {
  readonly answers: readonly KeyAnswer[];
  /** ledger number to record, of every record that an answer names */
  readonly records: ReadonlyMap<number, Uint8Array>;
}

interface Asked {
  readonly statement: number;
  readonly index: number;
  readonly release: Release;
}

interface Grant {
  readonly kind: 'grant';
  readonly asked: Asked;
  readonly event: OwnEvent;
  /** what is left of the release: no narrower cover takes it */
  readonly sections: readonly string[];
  readonly seals: readonly Uint8Array[];
  /** under which it is released */
  readonly agreementId: string;
}
type Judged = Grant | { readonly kind: 'answer'; readonly outcome: KeyOutcome };

/**
 * The one place where a key leaves. Everything until the commit runs in one piece: seal and rule are checked, keys
 * are read, the ledger record is written. The answer goes out after the commit and the broker's acknowledgement, so
 * nobody can hold a key without standing in the ledger.
 */
export class KeyOffice {
  readonly #context: NodeContext;

  constructor(context: NodeContext) {
    this.#context = context;
  }

  /** @param recipient the caller's member, from its certificate */
  async release(recipient: MemberId, wanted: readonly WantedStatement[]): Promise<KeyAnswers> {
    const asked = this.#readRequest(recipient, wanted);
    const { state, clock, outbox, self } = this.#context;
    const outcomes = state.db.transaction(() => this.#decide(recipient, asked, clock.nowMs()));
    outbox.wake(ledgerTopic(self), 0);
    const records = this.#recordsOf(outcomes);
    // also an old record may still be under way: a crash or a slow broker came between it and its first answer
    const lastSeq = Math.max(0, ...[...records.values()].map(({ seq }) => seq));
    await outbox.acknowledged(ledgerTopic(self), 0, lastSeq);
    // a seal may have come while the broker was waited for: then no key leaves any more
    const ids = asked.map(({ release }) => release.id);
    const stops = this.#stops(recipient, ids);
    const answers = asked.map((one, at): KeyAnswer => {
      const decided = outcomes[at] ?? { kind: 'refused', reason: 'RELEASE_UNKNOWN' };
      const outcome =
        decided.kind === 'released'
          ? (this.#stopped(one.release, stops) ?? this.#narrowed(decided, one.release, stops))
          : decided;
      return { statement: one.statement, release: one.index, outcome };
    });
    const named = this.#recordsOf(answers.map(({ outcome }) => outcome));
    return { answers, records: new Map([...named].map(([at, { record }]) => [at, record])) };
  }

  #recordsOf(
    outcomes: readonly KeyOutcome[],
  ): Map<number, { readonly record: Uint8Array; readonly seq: number }> {
    const records = new Map<number, { readonly record: Uint8Array; readonly seq: number }>();
    for (const outcome of outcomes) {
      if (outcome.kind !== 'released') continue;
      for (const number of outcome.records) {
        const record = records.get(number) ?? this.#context.state.ledger.record(number);
        if (!record)
          throw new ConcordatError('INTERNAL', 'a release names a record that is not there');
        records.set(number, record);
      }
    }
    return records;
  }

  #readRequest(recipient: MemberId, wanted: readonly WantedStatement[]): Asked[] {
    const { codec, keys, self } = this.#context;
    const asked: Asked[] = [];
    demandCount(wanted.length);
    for (const [statement, one] of wanted.entries()) {
      const feed = verifyStatement(codec, keys, 'FeedStatement', one.statement, { signer: self });
      if (!feed.ok) throw feed.error;
      if (feed.value.value.recipient !== recipient) {
        throw new ConcordatError(
          'NOT_ADDRESSED_HERE',
          `expected a release to ${recipient}, the caller; got one to another member`,
        );
      }
      for (const [index, release] of feed.value.value.releases.entries()) {
        if (isSet(one.wanted, index)) asked.push({ statement, index, release });
      }
      if (asked.length > 0) demandCount(asked.length);
    }
    demandCount(asked.length);
    return asked;
  }

  /** One outcome for each of `asked`. */
  #decide(recipient: MemberId, asked: readonly Asked[], nowMs: UnixMs): KeyOutcome[] {
    const { state, vault, self } = this.#context;
    const ids = asked.map(({ release }) => release.id);
    const known = { events: state.own.events(ids), stops: this.#stops(recipient, ids), nowMs };
    const judged = asked.map((one) => this.#judge(recipient, one, known));
    const granted = judged.flatMap((one) => (one.kind === 'grant' ? [one] : []));
    const recorded = this.#record(recipient, granted, nowMs);
    const held = vault.getAll(
      self,
      granted.map(({ asked }) => asked.release.id),
    );
    const released = new Map(
      granted.map((grant) => [
        grant.asked,
        grantOutcome(grant, held.get(grant.asked.release.id), recorded),
      ]),
    );
    return judged.map((one): KeyOutcome => {
      if (one.kind === 'answer') return one.outcome;
      return released.get(one.asked) ?? { kind: 'refused', reason: 'KEY_MISSING' };
    });
  }

  /** The origin's node decides again before a key leaves; consent's signature alone opens nothing. */
  #judge(recipient: MemberId, asked: Asked, known: Known): Judged {
    const { events, stops, nowMs } = known;
    const { self, rules, recent } = this.#context;
    const { release } = asked;
    const answer = (outcome: KeyOutcome): Judged => ({ kind: 'answer', outcome });
    const event = events.get(release.id);
    const at = release.block;
    const isOurs =
      event?.leaf === release.leaf &&
      event.lane === at.lane &&
      event.epoch === at.epoch &&
      event.number === at.number;
    if (!isOurs) return answer({ kind: 'refused', reason: 'RELEASE_UNKNOWN' });
    const stopped = this.#stopped(release, stops);
    if (stopped) return answer(stopped);
    const { left, seals } = this.#left(release, stops);
    const { header, audience } = recent.get(self, release.id) ?? {};
    if (!header || !audience) return answer({ kind: 'refused', reason: 'EVENT_UNKNOWN' });
    const asMeant = rules.decide({ header, audience, recipient }, nowMs);
    const goesOnward = isExcluded(asMeant) && this.#mayGoOnward(release, event, recipient);
    const decision = goesOnward ? rules.decide(meantFor(recipient, header), nowMs) : asMeant;
    if (decision.outcome === 'withheld') {
      const isWithdrawn = decision.reason === 'NO_CONSENT' || decision.reason === 'NO_AGREEMENT';
      const { reason } = decision;
      return answer(
        isWithdrawn ? { kind: 'withdrawn', reason, seals } : { kind: 'refused', reason },
      );
    }
    const reason = excess({ ...release, sections: left }, decision.terms);
    if (reason !== undefined) return answer({ kind: 'refused', reason });
    const { agreementId } = decision.terms;
    return { kind: 'grant', asked, event, sections: left, seals, agreementId };
  }

  /**
   * May an event go to a member that its audience leaves out? By a holder's request that was accepted and goes as far as this
   * release, or, after a loss of the state, what the ledger says it was given before.
   */
  #mayGoOnward(release: Release, event: OwnEvent, recipient: MemberId): boolean {
    const { state } = this.#context;
    const { id, leaf, sections, purposes, deleteByMs } = release;
    const isAccepted = state.onward
      .accepted(id, recipient)
      .some(
        (one) =>
          sections.every((name) => one.sections.includes(name)) &&
          purposes.every((purpose) => purpose === one.purpose) &&
          deleteByMs <= one.deleteByMs,
      );
    const wasGiven = (): boolean =>
      releasesOfBlock(this.#context, event, recipient).some(
        (old) => old.leaf === leaf && sections.every((name) => old.sections.includes(name)),
      );
    return isAccepted || wasGiven();
  }

  #stops(recipient: MemberId, ids: readonly EventId[]): Stops {
    const { state, self } = this.#context;
    return {
      sealed: state.tombstones.sealNumbers(self, ids),
      covers: state.covers.among(ids, recipient),
      isLeaving: state.membership.isLeaving(recipient),
    };
  }

  /** The answer without a key, where none may leave whatever the rules say. */
  #stopped(release: Release, stops: Stops): KeyOutcome | undefined {
    const { left, seals } = this.#left(release, stops);
    const number = stops.sealed.get(release.id);
    switch (keyStop({ isSealed: number !== undefined, left, isLeaving: stops.isLeaving })) {
      case 'SEALED':
        return { kind: 'shredded', seal: this.#opened(release.id, number ?? 0) };
      case 'COVERED':
        return { kind: 'withdrawn', reason: COVER_SEALED, seals };
      case 'LEAVING':
        return MEMBER_LEAVES;
      case undefined:
        return undefined;
    }
  }

  /** What of a release no narrower cover takes, and the seals of those that take something. */
  #left(
    { id, sections }: Pick<Release, 'id' | 'sections'>,
    { covers }: Pick<Stops, 'covers'>,
  ): { readonly left: readonly string[]; readonly seals: readonly Uint8Array[] } {
    let left = sections;
    const numbers = new Set<number>();
    for (const cover of covers.get(id) ?? []) {
      const kept = left.filter((name) => !takesSection(cover, name));
      if (kept.length < left.length) numbers.add(cover.ledgerNumber);
      left = kept;
    }
    const seals = [...numbers].map((number) => this.#opened(id, number));
    return { left, seals };
  }

  /** A cover may have been blocked while the broker was waited for: its keys do not leave any more. */
  #narrowed(outcome: Released, release: Release, stops: Stops): KeyOutcome {
    if (!stops.covers.has(release.id)) return outcome;
    const { left, seals } = this.#left(release, stops);
    const keys = new Map([...outcome.keys].filter(([section]) => left.includes(section)));
    return { ...outcome, keys, seals };
  }

  /**
   * One record for each block that holds something new; what was recorded before keeps its old record.
   *
   * @returns of each block the ledger numbers that name a leaf's sections
   */
  #record(recipient: MemberId, granted: readonly Grant[], nowMs: UnixMs): Recorded {
    const recorded: Recorded = new Map();
    for (const [key, grants] of grouped(granted, ({ event }) => blockKey(event))) {
      const [first] = grants;
      const block = first && this.#context.state.own.block(first.event);
      if (!block) throw new ConcordatError('INTERNAL', 'an own event without its block');
      const numbers: LeafNumbers = new Map();
      for (const old of releasesOfBlock(this.#context, block, recipient)) note(numbers, old);
      const leaves = newLeaves(grants, numbers);
      if (leaves.size > 0) {
        const ledgerNumber = this.#recordBlock({ recipient, block, leaves, numbers }, nowMs);
        this.#recordAgreements(ledgerNumber, grants, leaves);
      }
      recorded.set(key, numbers);
    }
    return recorded;
  }

  /** The ledger does not say it, and an agreement that ends may have its events taken back. */
  #recordAgreements(
    ledgerNumber: number,
    grants: readonly Grant[],
    leaves: ReadonlyMap<number, unknown>,
  ): void {
    const fresh = grants.filter(({ event }) => leaves.has(event.leaf));
    for (const [agreementId, some] of grouped(fresh, (grant) => grant.agreementId)) {
      const under = some.map(({ event }) => event.leaf);
      this.#context.state.ledger.addAgreement(ledgerNumber, agreementId, under);
    }
  }

  #recordBlock({ recipient, block, leaves, numbers }: Fresh, nowMs: UnixMs): number {
    const { state, codec, random } = this.#context;
    const { lane, epoch, number, hash, treeSize } = block;
    const table: SlotTable = {
      seed: random.bytes(32),
      kind: 'RELEASE',
      recipient,
      orderId: null,
      leaves: [...leaves]
        .map(([leaf, sections]) => ({ leaf, sections }))
        .sort((a, b) => a.leaf - b.leaf),
    };
    const appended = appendLedger(
      this.#context,
      {
        block: { lane, epoch, number, hash },
        kind: 'RELEASE',
        recipient,
        treeSize,
        root: slotRoot(codec, table, treeSize),
        body: codec.encode('SlotTable', table),
      },
      nowMs,
    );
    const isNew = table.leaves.filter(({ leaf }) => !numbers.has(leaf));
    state.ledger.countReleased(recipient, isNew.length);
    for (const one of table.leaves) note(numbers, { ...one, ledgerNumber: appended.number });
    return appended.number;
  }

  /** The statement of the seal with this number, with this event's slot opened. */
  #opened(id: EventId, number: number): Uint8Array {
    const { state, codec } = this.#context;
    const found = state.ledger.record(number);
    const event = state.own.event(id);
    const block = event && state.own.block(event);
    if (!found || !block) {
      throw new ConcordatError('INTERNAL', 'a seal whose ledger record or block is not there');
    }
    const record = codec.decode('LedgerRecord', found.record);
    const table = record.ok ? readSlots(codec, 'SEAL', record.value.body) : record;
    if (!record.ok || !table.ok) {
      throw new ConcordatError('INTERNAL', 'an own ledger record does not decode');
    }
    const opened = openSlot(codec, table.value, { treeSize: block.treeSize, leaf: event.leaf });
    return codec.encode('OpenedSlot', { statement: record.value.statement, ...opened });
  }
}

/** What was looked up for all releases of a request together. */
interface Known {
  readonly events: ReadonlyMap<EventId, OwnEvent>;
  readonly stops: Stops;
  readonly nowMs: UnixMs;
}

/** What of our own commits keeps keys from one recipient; see `keyStop`. */
interface Stops {
  /** events to the ledger numbers of their seals */
  readonly sealed: ReadonlyMap<EventId, number>;
  readonly covers: ReadonlyMap<EventId, readonly BlockedCover[]>;
  readonly isLeaving: boolean;
}

/** leaf to section to the ledger number of the record that names it */
type LeafNumbers = Map<number, Map<string, number>>;
/** block to its leaves */
type Recorded = Map<string, LeafNumbers>;

/** Leaves of one block, with their sections, that no record names yet. */
interface Fresh {
  readonly recipient: MemberId;
  readonly block: OwnBlock;
  readonly leaves: ReadonlyMap<number, readonly string[]>;
  readonly numbers: LeafNumbers;
}

function note(
  numbers: LeafNumbers,
  { leaf, sections, ledgerNumber }: Pick<RecordedRelease, 'leaf' | 'sections' | 'ledgerNumber'>,
): void {
  const known = numbers.get(leaf) ?? new Map<string, number>();
  numbers.set(leaf, known);
  // the first record stays
  for (const section of sections) if (!known.has(section)) known.set(section, ledgerNumber);
}

function newLeaves(grants: readonly Grant[], numbers: LeafNumbers): Map<number, readonly string[]> {
  const leaves = new Map<number, readonly string[]>();
  for (const { asked, sections } of grants) {
    const { leaf } = asked.release;
    const recorded = numbers.get(leaf);
    if (recorded && sections.every((section) => recorded.has(section))) continue;
    leaves.set(leaf, [...new Set([...(leaves.get(leaf) ?? []), ...sections])]);
  }
  return leaves;
}

function grantOutcome(
  { asked, event, sections, seals }: Grant,
  held: ReadonlyMap<string, Uint8Array> | undefined,
  recorded: Recorded,
): KeyOutcome {
  const { leaf } = asked.release;
  const numbers = recorded.get(blockKey(event))?.get(leaf);
  const keys = new Map<string, Uint8Array>();
  const records = new Set<number>();
  for (const section of sections) {
    const key = held?.get(section);
    const number = numbers?.get(section);
    if (!key || number === undefined) return { kind: 'refused', reason: 'KEY_MISSING' };
    keys.set(section, key);
    records.add(number);
  }
  return { kind: 'released', keys, records: [...records], seals };
}

function demandCount(count: number): void {
  if (count > 0 && count <= RELEASES_MAX) return;
  throw new ConcordatError(
    'REQUEST_INVALID',
    `expected 1 to ${String(RELEASES_MAX)} wanted releases, got ${String(count)}`,
  );
}

function isExcluded(decision: ReleaseDecision): boolean {
  return decision.outcome === 'withheld' && decision.reason === 'AUDIENCE_EXCLUDES';
}

/** In what a release that consent signed goes beyond what the rules allow now. */
function excess(
  release: Pick<Release, 'sections' | 'purposes' | 'deleteByMs' | 'custody'>,
  terms: Terms,
): string | undefined {
  if (!release.sections.every((name) => terms.sections.includes(name))) {
    return 'SECTION_NOT_ALLOWED';
  }
  if (!release.purposes.every((name) => terms.purposes.includes(name))) {
    return 'PURPOSE_NOT_ALLOWED';
  }
  // who was told that it may store the keys gets none when they are only lent now
  if (terms.custody === 'leased' && release.custody !== 'leased') return 'CUSTODY_NOT_ALLOWED';
  return release.deleteByMs > terms.deleteByMs ? 'RETENTION_TOO_LONG' : undefined;
}

function isSet(bitmap: Uint8Array, index: number): boolean {
  return (((bitmap[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
}
