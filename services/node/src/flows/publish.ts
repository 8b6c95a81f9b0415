import { BLOCK_BYTES_MAX, BLOCK_ENVELOPES_MAX, blockRef } from '@concordat/common/domain/block.js';
import { sha256 } from '@concordat/common/domain/bytes.js';
import { nextLink } from '@concordat/common/domain/chain.js';
import { cloudEventHeaders } from '@concordat/common/domain/cloud-event.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId } from '@concordat/common/domain/ids.js';
import { leafHash, merkleRoot } from '@concordat/common/domain/merkle.js';
import type { BlockStatement, PublicationTable } from '@concordat/common/domain/records.js';
import { SUITE, signStatement } from '@concordat/common/domain/statement.js';
import { eventsTopic, ledgerTopic } from '@concordat/common/domain/topics.js';
import { type Composed, type Draft, compose } from '../domain/compose.js';
import type { NodeContext } from './context.js';
import { appendLedger } from './ledger-writer.js';

/** How long a lone event waits for company when its lane is idle. */
const IDLE_WAIT_MS = 5;
/** Events accepted and not yet in a block; more are refused until some are. */
const PENDING_MAX = 4_096;

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

/**
 * Takes events into blocks. A lane's block is closed when it is full, or when the lane's previous send was
 * acknowledged; so load makes large blocks, and a quiet lane blocks of one.
 */
export class Publisher {
  readonly #context: NodeContext;
  readonly #lanes: number;
  readonly #pending = new Map<EventId, Pending>();
  readonly #waiting = new Map<EventId, Promise<Published>>();
  #open = 0;
  #scheduled = false;

  constructor(context: NodeContext, lanes: number) {
    this.#context = context;
    this.#lanes = lanes;
  }

  /** Answers once the event is published: its block, its ledger record and its outbox row are committed. */
  async publish(draft: Draft): Promise<Published> {
    const before = this.#first(draft.id);
    if (before) return { ...(await before), repeated: true };
    const pinned = this.#laneOf(draft.supersedes);
    if (this.#pending.size >= PENDING_MAX) {
      throw new ConcordatError('PEER_UNAVAILABLE', 'too many events wait for a block: try again');
    }
    const { codec, random, self } = this.#context;
    const composed = compose(codec, random, self, draft);
    if (!composed.ok) throw composed.error;
    const published = new Promise<Published>((done, failed) => {
      this.#pending.set(draft.id, { composed: composed.value, pinned, done, failed });
    }).finally(() => this.#waiting.delete(draft.id));
    this.#waiting.set(draft.id, published);
    this.#schedule(this.#pending.size >= BLOCK_ENVELOPES_MAX ? 0 : IDLE_WAIT_MS);
    return published;
  }

  #first(id: EventId): Promise<Published> | undefined {
    const waiting = this.#waiting.get(id);
    if (waiting) return waiting;
    const own = this.#context.state.ownEvent(id);
    return own && Promise.resolve({ ...own, id, repeated: true });
  }

  #laneOf(supersedes: EventId | null): number | undefined {
    if (supersedes === null) return undefined;
    const own = this.#context.state.ownEvent(supersedes);
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

  /** Closes a block on every lane that is idle and has something to carry. */
  #flush(): void {
    for (let tried = 0; tried < this.#lanes && this.#pending.size > 0; tried += 1) {
      const lane = (this.#open + tried) % this.#lanes;
      if (this.#isSending(lane)) continue;
      const taken = this.#take(lane, tried === 0);
      if (taken.length > 0) this.#close(lane, taken);
    }
    this.#open = (this.#open + 1) % this.#lanes;
  }

  #isSending(lane: number): boolean {
    return this.#context.outbox.isSending(eventsTopic(this.#context.self), lane);
  }

  #take(lane: number, general: boolean): Pending[] {
    const taken: Pending[] = [];
    let bytes = 0;
    for (const pending of this.#pending.values()) {
      if (pending.pinned === undefined ? !general : pending.pinned !== lane) continue;
      bytes += pending.composed.sealedBytes;
      if (taken.length >= BLOCK_ENVELOPES_MAX || (taken.length > 0 && bytes > BLOCK_BYTES_MAX)) {
        break;
      }
      taken.push(pending);
    }
    for (const { composed } of taken) this.#pending.delete(composed.id);
    return taken;
  }

  #close(lane: number, taken: readonly Pending[]): void {
    try {
      const published = this.#commit(
        lane,
        taken.map(({ composed }) => composed),
      );
      const topic = eventsTopic(this.#context.self);
      this.#context.outbox.wake(topic, lane);
      this.#context.outbox.wake(ledgerTopic(this.#context.self), 0);
      void this.#context.outbox.acknowledged(topic, lane, published.seq).then(
        () => {
          if (this.#pending.size > 0) this.#flush();
        },
        () => undefined, // the outbox is closing; what is pending was never accepted
      );
      for (const [leaf, pending] of taken.entries()) {
        const { id } = pending.composed;
        pending.done({ id, leaf, repeated: false, ...published.place });
      }
    } catch (cause) {
      for (const pending of taken) pending.failed(cause);
    }
  }

  /** Publish = vault, then data, then state: the last commit publishes. */
  #commit(
    lane: number,
    composed: readonly Composed[],
  ): { readonly seq: number; readonly place: Pick<Published, 'lane' | 'epoch' | 'number'> } {
    const { vault, data, state, self } = this.#context;
    vault.put(
      composed.map(({ id, keys, header }) => ({
        origin: self,
        id,
        keys,
        deleteByMs: header.retainUntilMs,
      })),
    );
    data.db.transaction(() => {
      for (const { id, header, envelope } of composed) {
        const { audience } = envelope;
        data.insert(
          {
            origin: self,
            id,
            state: 'published',
            category: header.category,
            header: envelope.header,
            ...(audience && { audience }),
          },
          envelope.sections,
        );
      }
    });
    return state.db.transaction(() => this.#publishBlock(lane, composed));
  }

  #publishBlock(
    lane: number,
    composed: readonly Composed[],
  ): { readonly seq: number; readonly place: Pick<Published, 'lane' | 'epoch' | 'number'> } {
    const { state, codec, signer, keys, self, clock } = this.#context;
    const topic = eventsTopic(self);
    const chain = `${topic}/${String(lane)}`;
    const head = state.chains.ownHead(chain);
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
    state.addOwnBlock({
      ...place,
      hash: signed.hash,
      treeSize,
      statement: signed.bytes,
      leafHashes,
    });
    for (const [leaf, { id, header }] of composed.entries()) {
      const { supersedes, retainUntilMs } = header;
      state.addOwnEvent(id, { ...place, leaf, supersedes, retainUntilMs });
    }
    const value = codec.encode('Block', {
      statement: signed.bytes,
      envelopes: composed.map(({ envelope }) => envelope),
    });
    const headers = cloudEventHeaders({ kind: 'block', source: self, chain, epoch, number });
    const seq = state.chains.enqueue(topic, lane, { value, headers });
    const table: PublicationTable = {
      rows: composed.map(({ id, header, envelope }) => ({
        id,
        headerHash: leafHash(envelope.header),
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
    return { seq, place };
  }
}
