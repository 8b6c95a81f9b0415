import { type Terms, decideRelease } from '@concordat/common/domain/decide-release.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import { parseHeader } from '@concordat/common/domain/header.js';
import type { EventId, MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import type { Release, SlotTable } from '@concordat/common/domain/records.js';
import { openSlot, slotRoot } from '@concordat/common/domain/slots.js';
import { verifyStatement } from '@concordat/common/domain/statement.js';
import { ledgerTopic } from '@concordat/common/domain/topics.js';
import { type OwnBlock, type OwnEvent, blockKey } from '../io/state/own-publications.js';
import type { NodeContext } from './context.js';
import { appendLedger } from './ledger-writer.js';

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
    }
  | { readonly kind: 'shredded'; readonly seal: Uint8Array }
  | { readonly kind: 'withdrawn' | 'refused'; readonly reason: string };

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

type Judged =
  | { readonly kind: 'grant'; readonly asked: Asked; readonly event: OwnEvent }
  | { readonly kind: 'answer'; readonly outcome: KeyOutcome };

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
    const answers = asked.map((one, at): KeyAnswer => {
      const outcome = outcomes[at] ?? { kind: 'refused', reason: 'RELEASE_UNKNOWN' };
      // a seal may have come while the broker was waited for: then no key leaves any more
      const seal = outcome.kind === 'released' ? this.#sealOf(one.release.id) : undefined;
      return {
        statement: one.statement,
        release: one.index,
        outcome: seal ? { kind: 'shredded', seal } : outcome,
      };
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
    const judged = asked.map((one) => this.#judge(recipient, one, nowMs));
    this.#record(recipient, judged, nowMs);
    const { vault, state, self } = this.#context;
    return judged.map((one): KeyOutcome => {
      if (one.kind === 'answer') return one.outcome;
      const { id, sections } = one.asked.release;
      const held = vault.get(self, id);
      const recorded = state.ledger.keyReleases(id, recipient);
      const keys = new Map<string, Uint8Array>();
      const records = new Set<number>();
      for (const section of sections) {
        const key = held.get(section);
        const number = recorded.get(section);
        if (!key || number === undefined) return { kind: 'refused', reason: 'KEY_MISSING' };
        keys.set(section, key);
        records.add(number);
      }
      return { kind: 'released', keys, records: [...records] };
    });
  }

  /** The origin's node decides again before a key leaves; consent's signature alone opens nothing. */
  #judge(recipient: MemberId, asked: Asked, nowMs: UnixMs): Judged {
    const { state, data, self, codec, policy } = this.#context;
    const { release } = asked;
    const answer = (outcome: KeyOutcome): Judged => ({ kind: 'answer', outcome });
    const event = state.own.event(release.id);
    const at = release.block;
    const isOurs =
      event?.leaf === release.leaf &&
      event.lane === at.lane &&
      event.epoch === at.epoch &&
      event.number === at.number;
    if (!isOurs) return answer({ kind: 'refused', reason: 'RELEASE_UNKNOWN' });
    const sealed = this.#sealOf(release.id);
    if (sealed) return answer({ kind: 'shredded', seal: sealed });
    const row = data.find(self, release.id);
    const header = row && parseHeader(codec, row.header);
    const audience = row?.audience && codec.decode('Audience', row.audience.value);
    if (!header?.ok || !audience?.ok) {
      return answer({ kind: 'refused', reason: 'EVENT_UNKNOWN' });
    }
    const decision = decideRelease(
      { header: header.value, audience: audience.value, recipient },
      policy,
      nowMs,
    );
    if (decision.outcome === 'withheld') {
      const isWithdrawn = decision.reason === 'NO_CONSENT' || decision.reason === 'NO_AGREEMENT';
      return answer({ kind: isWithdrawn ? 'withdrawn' : 'refused', reason: decision.reason });
    }
    const reason = excess(release, decision.terms);
    if (reason !== undefined) return answer({ kind: 'refused', reason });
    return { kind: 'grant', asked, event };
  }

  /** One record for each block that holds something new; what was recorded before keeps its old record. */
  #record(recipient: MemberId, judged: readonly Judged[], nowMs: UnixMs): void {
    const { state } = this.#context;
    const fresh = new Map<string, Fresh>();
    for (const one of judged) {
      if (one.kind !== 'grant') continue;
      const { id, leaf, sections } = one.asked.release;
      const recorded = state.ledger.keyReleases(id, recipient);
      if (sections.every((section) => recorded.has(section))) continue;
      const key = blockKey(one.event);
      const block = fresh.get(key)?.block ?? state.own.block(one.event);
      if (!block) throw new ConcordatError('INTERNAL', 'an own event without its block');
      const leaves: Fresh['leaves'] = fresh.get(key)?.leaves ?? new Map<number, never>();
      const named = [...new Set([...(leaves.get(leaf)?.sections ?? []), ...sections])];
      fresh.set(key, { block, leaves: leaves.set(leaf, { id, sections: named }) });
    }
    for (const one of fresh.values()) this.#recordBlock(recipient, one, nowMs);
  }

  #recordBlock(recipient: MemberId, { block, leaves }: Fresh, nowMs: UnixMs): void {
    const { state, codec, random } = this.#context;
    const { lane, epoch, number, hash, treeSize } = block;
    const table: SlotTable = {
      seed: random.bytes(32),
      kind: 'RELEASE',
      recipient,
      orderId: null,
      leaves: [...leaves]
        .map(([leaf, { sections }]) => ({ leaf, sections }))
        .sort((a, b) => a.leaf - b.leaf),
    };
    const appended = appendLedger(
      this.#context,
      {
        block: { lane, epoch, number, hash },
        kind: 'RELEASE',
        treeSize,
        root: slotRoot(codec, table, treeSize),
        body: codec.encode('SlotTable', table),
      },
      nowMs,
    );
    const ids = new Map<number, EventId>([...leaves].map(([leaf, { id }]) => [leaf, id]));
    state.ledger.addKeyReleases(table, ids, { ledgerNumber: appended.number, atMs: nowMs });
  }

  /** The seal's statement with this leaf's slot opened; undefined when the event is not sealed. */
  #sealOf(id: EventId): Uint8Array | undefined {
    const { state, self, codec } = this.#context;
    const number = state.tombstones.sealNumber(self, id);
    const found = number === undefined ? undefined : state.ledger.record(number);
    const event = found && state.own.event(id);
    if (!event) return undefined;
    const record = codec.decode('LedgerRecord', found.record);
    const table = record.ok ? codec.decode('SlotTable', record.value.body) : undefined;
    const block = state.own.block(event);
    if (!record.ok || !table?.ok || !block) {
      throw new ConcordatError('INTERNAL', 'an own ledger record does not decode');
    }
    const opened = openSlot(codec, table.value, { treeSize: block.treeSize, leaf: event.leaf });
    return codec.encode('OpenedSlot', { statement: record.value.statement, ...opened });
  }
}

/** Leaves of one block that no record names yet. */
interface Fresh {
  readonly block: OwnBlock;
  readonly leaves: Map<number, { readonly id: EventId; readonly sections: readonly string[] }>;
}

function demandCount(count: number): void {
  if (count > 0 && count <= RELEASES_MAX) return;
  throw new ConcordatError(
    'REQUEST_INVALID',
    `expected 1 to ${String(RELEASES_MAX)} wanted releases, got ${String(count)}`,
  );
}

/** In what a release that consent signed goes beyond what the rules allow now. */
function excess(release: Release, terms: Terms): string | undefined {
  if (!release.sections.every((name) => terms.sections.includes(name))) {
    return 'SECTION_NOT_ALLOWED';
  }
  if (!release.purposes.every((name) => terms.purposes.includes(name))) {
    return 'PURPOSE_NOT_ALLOWED';
  }
  return release.deleteByMs > terms.deleteByMs ? 'RETENTION_TOO_LONG' : undefined;
}

function isSet(bitmap: Uint8Array, index: number): boolean {
  return (((bitmap[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
}
