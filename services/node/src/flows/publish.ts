import { BLOCK_BYTES_MAX, BLOCK_ENVELOPES_MAX, blockRef } from '@concordat/common/domain/block.js';
import { ZERO_HASH, sha256 } from '@concordat/common/domain/bytes.js';
import { type Head, nextLink } from '@concordat/common/domain/chain.js';
import { cloudEventHeaders } from '@concordat/common/domain/cloud-event.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId } from '@concordat/common/domain/ids.js';
import { leafHash, merkleRoot } from '@concordat/common/domain/merkle.js';
import type { BlockStatement, PublicationTable } from '@concordat/common/domain/records.js';
import { SUITE, signStatement } from '@concordat/common/domain/statement.js';
import { eventsTopic, ledgerTopic } from '@concordat/common/domain/topics.js';
import { type Composed, type Draft, compose } from '../domain/compose.js';
import type { NewRow } from '../io/data-store.js';
import type { BlockPlace } from '../io/state/own-publications.js';
import type { NodeContext } from './context.js';
import { appendLedger } from './ledger-writer.js';
import { announce } from './notices.js';

/** How long a lone event waits for company when its lane is idle. */
const IDLE_WAIT_MS = 5;
/** Events accepted and not yet in a block; more are refused until some are. */
const PENDING_MAX = 4_096;
/** While so many wait, or so many bytes of them, a stream is not read on: single calls still find room. */
const STREAM_PENDING_MAX = 2_048;
const STREAM_PENDING_BYTES_MAX = 16 << 20;

export interface Published {
  readonly id: EventId;
  readonly lane: number;
  readonly epoch: number;
  readonly number: number;
  readonly leaf: number;
  readonly repeated: boolean;
}

interface Pending {
  readonly composed: Composed;
  /** the lane of the event that this one replaces: a subject's chain stays in order */
  readonly pinned: number | undefined;
  readonly done: (published: Published) => void;
  readonly failed: (cause: unknown) => void;
}

/** What an idle lane will carry as its next block. */
interface Closing {
  readonly lane: number;
  readonly taken: readonly Pending[];
}

interface NewBlock {
  readonly lane: number;
  readonly chain: string;
  readonly head: Head;
  readonly composed: readonly Composed[];
}

/**
 * Takes events into blocks. A lane's block is closed when it is full, or when the lane's previous send was
 * acknowledged; so load makes large blocks, and a quiet lane blocks of one.
 */
export class Publisher {
  readonly #context: NodeContext;
  readonly #lanes: number;
  readonly #pending = new Map<EventId, Pending>();
  readonly #waiting = new Map<EventId, Promise<Published>>();
  /** lanes whose end of sending will close the next block */
  readonly #watched = new Set<number>();
  #pendingBytes = 0;
  #onRoom: (() => void)[] = [];
  #open = 0;
  #scheduled = false;
  #closed = false;

  /** @param lanes of the own events topic; 0 for a member that publishes nothing */
  constructor(context: NodeContext, lanes: number) {
    this.#context = context;
    this.#lanes = lanes;
  }

  /** Answers once the event is published: its block, its ledger record and its outbox row are committed. */
  async publish(draft: Draft): Promise<Published> {
    if (this.#lanes === 0) {
      const text = 'this member publishes nothing: the federation file lists no consent service';
      throw new ConcordatError('REQUEST_INVALID', text);
    }
    const before = this.#first(draft.id);
    if (before) return { ...(await before), repeated: true };
    const pinned = this.#laneOf(draft.supersedes);
    if (this.#closed || this.#pending.size >= PENDING_MAX) {
      throw new ConcordatError('PEER_UNAVAILABLE', 'too many events wait for a block: try again');
    }
    const { codec, random, self } = this.#context;
    const composed = compose(codec, random, self, draft);
    if (!composed.ok) throw composed.error;
    const published = new Promise<Published>((done, failed) => {
      this.#pending.set(draft.id, { composed: composed.value, pinned, done, failed });
      this.#pendingBytes += composed.value.bytes;
    }).finally(() => this.#waiting.delete(draft.id));
    this.#waiting.set(draft.id, published);
    this.#schedule(this.#pending.size >= BLOCK_ENVELOPES_MAX ? 0 : IDLE_WAIT_MS);
    return published;
  }

  /** Is there room for more of a stream? Single calls are let in beyond it, up to a limit of their own. */
  get hasRoom(): boolean {
    return (
      this.#closed ||
      (this.#pending.size < STREAM_PENDING_MAX && this.#pendingBytes < STREAM_PENDING_BYTES_MAX)
    );
  }

  /** Resolves when a block was closed, or this publisher: then ask `hasRoom` again. */
  roomChanged(): Promise<void> {
    return new Promise((resolve) => this.#onRoom.push(resolve));
  }

  /** Resolves when this id waits for a block no more, at once if it never did. */
  async settled(id: EventId): Promise<void> {
    await this.#waiting.get(id)?.catch(() => undefined);
  }

  #tellRoom(): void {
    for (const tell of this.#onRoom.splice(0)) tell();
  }

  /** What has no block yet was never accepted: its callers learn it. */
  close(): void {
    this.#closed = true;
    this.#tellRoom();
    const stopping = new ConcordatError('PEER_UNAVAILABLE', 'stopped before the event had a block');
    for (const { failed } of this.#pending.values()) failed(stopping);
    this.#pending.clear();
  }

  #first(id: EventId): Promise<Published> | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting) return waiting;
    const own = this.#context.state.own.event(id);
    if (!own) return undefined;
    const { lane, epoch, number, leaf } = own;
    return Promise.resolve({ id, lane, epoch, number, leaf, repeated: true });
  }

  #laneOf(supersedes: EventId | null): number | undefined {
    if (supersedes === null) return undefined;
    const own = this.#context.state.own.event(supersedes);
    if (!own) {
      throw new ConcordatError('EVENT_UNKNOWN', 'supersedes: expected an event published here');
    }
    return own.lane;
  }

  #schedule(waitMs: number): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    void this.#context.clock.sleep(waitMs).then(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  /**
   * Closes blocks on idle lanes: full ones at once, one that is not full only when no lane sends. So little traffic stays on
   * one lane, whose acknowledgements set the pace and the size of its blocks; every block has its price, in each process.
   */
  #flush(): void {
    if (this.#closed) return;
    const first = this.#open;
    const closing: Closing[] = [];
    for (let tried = 0; tried < this.#lanes && this.#pending.size > 0; tried += 1) {
      const lane = (first + tried) % this.#lanes;
      if (!this.#hasFullBlock() && (closing.length > 0 || this.#isAnySending())) break;
      if (this.#isSending(lane)) continue;
      const taken = this.#take(lane);
      if (taken.length === 0) continue;
      this.#open = (lane + 1) % this.#lanes;
      closing.push({ lane, taken });
    }
    if (closing.length > 0) this.#close(closing);
    if (this.#pending.size > 0) this.#watchSending();
  }

  #hasFullBlock(): boolean {
    return this.#pending.size >= BLOCK_ENVELOPES_MAX || this.#pendingBytes >= BLOCK_BYTES_MAX;
  }

  #isAnySending(): boolean {
    for (let lane = 0; lane < this.#lanes; lane += 1) if (this.#isSending(lane)) return true;
    return false;
  }

  #isSending(lane: number): boolean {
    return this.#context.outbox.isSending(eventsTopic(this.#context.self), lane);
  }

  /** Every idle lane took what it may carry, so whatever is pending waits for one of those that send. */
  #watchSending(): void {
    const topic = eventsTopic(this.#context.self);
    for (let lane = 0; lane < this.#lanes; lane += 1) {
      if (this.#watched.has(lane) || !this.#isSending(lane)) continue;
      this.#watched.add(lane);
      void this.#context.outbox.idle(topic, lane).then(
        () => {
          this.#watched.delete(lane);
          this.#flush();
        },
        () => undefined, // sending ended for good, and this process with it
      );
    }
  }

  #take(lane: number): Pending[] {
    const taken: Pending[] = [];
    let bytes = 0;
    for (const pending of this.#pending.values()) {
      if (pending.pinned !== undefined && pending.pinned !== lane) continue;
      bytes += pending.composed.bytes;
      if (taken.length >= BLOCK_ENVELOPES_MAX || (taken.length > 0 && bytes > BLOCK_BYTES_MAX)) {
        break;
      }
      taken.push(pending);
    }
    for (const { composed } of taken) {
      this.#pending.delete(composed.id);
      this.#pendingBytes -= composed.bytes;
    }
    return taken;
  }

  /** The blocks of all lanes that were idle share their commits: each commit waits for the disk. */
  #close(closing: readonly Closing[]): void {
    const { outbox, self, recent } = this.#context;
    try {
      for (const { place, taken } of this.#commit(closing)) {
        outbox.wake(eventsTopic(self), place.lane);
        for (const [leaf, pending] of taken.entries()) {
          const { id, header, audience } = pending.composed;
          // these two only: the keys are in the vault, and nowhere else from here on
          recent.keep(self, id, { header, audience });
          pending.done({ id, leaf, repeated: false, ...place });
        }
      }
      outbox.wake(ledgerTopic(self), 0);
      this.#context.notices.wake();
    } catch (cause) {
      const all = closing.flatMap(({ taken }) => taken);
      this.#drop(all);
      for (const pending of all) pending.failed(cause);
    }
    this.#tellRoom();
  }

  /** Nothing of a failed commit may look published; what cannot be dropped now is dropped at the next start. */
  #drop(taken: readonly Pending[]): void {
    const { data, vault, state, self, warn } = this.#context;
    try {
      const events = taken
        .filter(({ composed }) => !state.own.event(composed.id))
        .map(({ composed }) => ({ origin: self, id: composed.id }));
      vault.delete(events);
      data.delete(events);
    } catch {
      warn('INTERNAL', 'rows of events that were not published stay until the next start');
    }
  }

  /** Publish = vault, then data, then state: the last commit publishes. */
  #commit(closing: readonly Closing[]): (Closing & { readonly place: BlockPlace })[] {
    const { vault, data, state, self } = this.#context;
    const blocks = closing.map((one) => {
      const chain = `${eventsTopic(self)}/${String(one.lane)}`;
      const composed = one.taken.map((pending) => pending.composed);
      return { ...one, chain, composed, head: state.chains.ownHead(chain) };
    });
    const all = blocks.flatMap(({ composed }) => composed);
    vault.put(
      all.map(({ id, keys, subjects, header }) => ({
        ...{ origin: self, id, keys, subjects },
        deleteByMs: header.retainUntilMs,
      })),
    );
    data.db.transaction(() => {
      this.#dropLeftovers(all);
      for (const { chain, head, composed } of blocks) {
        const { epoch, number } = nextLink(head);
        const batch = data.waiting.open({ origin: self, chain, epoch, number });
        data.insert(self, 'published', batch, composed.map(newRow));
      }
    });
    return state.db.transaction(() =>
      blocks.map((block) => ({ ...block, place: this.#publishBlock(block) })),
    );
  }

  /** What a failed commit left behind: it was never published, and its keys are not these. */
  #dropLeftovers(composed: readonly Composed[]): void {
    const { data, self } = this.#context;
    const left = data.knownAmong(
      self,
      composed.map(({ id }) => id),
    );
    data.delete([...left].map((id) => ({ origin: self, id })));
  }

  #publishBlock({ lane, chain, head, composed }: NewBlock): BlockPlace {
    const { state, codec, signer, keys, self, clock } = this.#context;
    const topic = eventsTopic(self);
    const leafHashes = composed.map(({ envelope }) => leafHash(envelope.header));
    const nowMs = clock.nowMs();
    const statement: BlockStatement = {
      suite: SUITE,
      federation: keys.federation,
      origin: self,
      keyId: signer.keyId,
      lane,
      ...nextLink(head),
      timeMs: nowMs,
      treeSize: composed.length,
      root: merkleRoot(leafHashes),
    };
    const signed = signStatement(codec, signer, 'BlockStatement', statement);
    const { epoch, number, treeSize } = statement;
    const place = { lane, epoch, number };
    state.chains.advanceOwn(chain, head, { epoch, number, hash: signed.hash });
    state.own.addBlock({
      ...place,
      hash: signed.hash,
      treeSize,
      statement: signed.bytes,
      leafHashes,
    });
    state.own.addEvents(
      place,
      composed.map(({ header }) => header),
    );
    announce(
      state,
      self,
      composed.map(({ id, header }) => ({ id, category: header.category })),
    );
    const value = codec.encode('Block', {
      statement: signed.bytes,
      envelopes: composed.map(({ envelope }) => envelope),
    });
    const headers = cloudEventHeaders({ kind: 'block', source: self, chain, epoch, number });
    state.chains.enqueueKept(topic, lane, { value, headers }, { epoch, number, atMs: nowMs });
    const table: PublicationTable = {
      rows: composed.map(({ id, header }, leaf) => ({
        id,
        headerHash: leafHashes[leaf] ?? ZERO_HASH,
        category: header.category,
        retainUntilMs: header.retainUntilMs,
        supersedes: header.supersedes,
      })),
    };
    const body = codec.encode('PublicationTable', table);
    const block = blockRef({ value: statement, hash: signed.hash });
    appendLedger(
      this.#context,
      { block, kind: 'PUBLICATION', treeSize, root: sha256(body), body },
      nowMs,
    );
    return place;
  }
}

function newRow({ id, header, envelope }: Composed, place: number): NewRow {
  const { audience } = envelope;
  const { category } = header;
  const body = { category, header: envelope.header, sections: envelope.sections };
  return { id, place, body: { ...body, ...(audience && { audience }) } };
}
