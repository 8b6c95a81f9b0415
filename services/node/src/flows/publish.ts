import { BLOCK_BYTES_MAX, BLOCK_ENVELOPES_MAX } from '@concordat/common/domain/block.js';
import { ConcordatError, asConcordatError } from '@concordat/common/domain/errors.js';
import type { EventId } from '@concordat/common/domain/ids.js';
import { eventsTopic, ledgerTopic } from '@concordat/common/domain/topics.js';
import { type Composed, type Draft, compose } from '../domain/compose.js';
import type { BlockPlace, OwnEvent } from '../io/state/own-publications.js';
import type { NodeContext } from './context.js';
import { demandStanding } from './derive.js';
import { dropUnpublished, publishBlocks } from './publish-blocks.js';

/** How long a lone event waits for company when its lane is idle. */
const IDLE_WAIT_MS = 5;
/**
 * A block that is not full begins no sooner after the one before it. Every block has its price, in each process: under steady
 * traffic it is shared by what came meanwhile, and nothing waits for a processor behind blocks of five.
 */
const PACE_MS = 30;
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

/** Learns what became of events: one for a whole stream, whose events stand at positions. */
export interface Outcomes {
  published(position: number, published: Published): void;
  failed(position: number, cause: unknown): void;
}

export interface Offer {
  readonly position: number;
  readonly draft: Draft;
}

interface Waiter {
  readonly position: number;
  readonly outcomes: Outcomes;
}

interface Pending {
  readonly composed: Composed;
  /** the lane of the event that this one replaces: a subject's chain stays in order */
  readonly pinned: number | undefined;
  readonly first: Waiter;
  /** who sent the same event again meanwhile */
  readonly repeated: Waiter[];
}

/** What an idle lane will carry as its next block. */
interface Closing {
  readonly lane: number;
  readonly taken: readonly Pending[];
}

/**
 * Takes events into blocks. A lane's block is closed when it is full, or when the lane's previous send was
 * acknowledged; so load makes large blocks, and a quiet lane blocks of one.
 */
export class Publisher {
  readonly #context: NodeContext;
  readonly #lanes: number;
  readonly #pending = new Map<EventId, Pending>();
  /** lanes whose end of sending will close the next block */
  readonly #watched = new Set<number>();
  #pendingBytes = 0;
  #onRoom: (() => void)[] = [];
  #open = 0;
  /** when blocks are closed next, as far as that is known; monotonic */
  #dueMs = Infinity;
  /** when blocks were closed last */
  #lastMs = -Infinity;
  #closed = false;

  /** @param lanes of the own events topic; 0 for a member that publishes nothing */
  constructor(context: NodeContext, lanes: number) {
    this.#context = context;
    this.#lanes = lanes;
  }

  /** Answers once the event is published: its block, its ledger record and its outbox row are committed. */
  publish(draft: Draft): Promise<Published> {
    return new Promise((done, failed) => {
      this.offer([{ position: 0, draft }], {
        published: (_position, published) => done(published),
        failed: (_position, cause) => failed(asConcordatError(cause)),
      });
    });
  }

  /** The same for several, which are looked up together; each outcome is told once, at once or later. */
  offer(offers: readonly Offer[], outcomes: Outcomes): void {
    let known: ReadonlyMap<EventId, OwnEvent>;
    try {
      known = this.#context.state.own.events(offers.flatMap(idsOf));
    } catch (cause) {
      for (const { position } of offers) outcomes.failed(position, cause);
      return;
    }
    for (const { position, draft } of offers) this.#accept(draft, known, { position, outcomes });
    if (this.#pending.size === 0) return;
    this.#schedule(this.#hasFullBlock() ? 0 : Math.max(IDLE_WAIT_MS, this.#paceMs()));
  }

  #accept(draft: Draft, known: ReadonlyMap<EventId, OwnEvent>, waiter: Waiter): void {
    try {
      this.#take(draft, known, waiter);
    } catch (cause) {
      waiter.outcomes.failed(waiter.position, cause);
    }
  }

  /** @param known of this event and the one that it replaces: what is published; nothing may be awaited since */
  #take(draft: Draft, known: ReadonlyMap<EventId, OwnEvent>, waiter: Waiter): void {
    if (this.#lanes === 0) {
      const text = 'this member publishes nothing: the federation file lists no consent service';
      throw new ConcordatError('REQUEST_INVALID', text);
    }
    const waiting = this.#pending.get(draft.id);
    if (waiting) {
      waiting.repeated.push(waiter);
      return;
    }
    const own = known.get(draft.id);
    if (own) {
      tell(waiter, { id: draft.id, place: own, leaf: own.leaf, repeated: true });
      return;
    }
    const pinned = laneOf(draft.supersedes, known);
    if (this.#closed || this.#pending.size >= PENDING_MAX) {
      throw new ConcordatError('PEER_UNAVAILABLE', 'too many events wait for a block: try again');
    }
    const { codec, random, self } = this.#context;
    const composed = compose(codec, random, self, draft);
    if (!composed.ok) throw composed.error;
    const { value } = composed;
    this.#pending.set(draft.id, { composed: value, pinned, first: waiter, repeated: [] });
    this.#pendingBytes += value.bytes;
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
    const pending = this.#pending.get(id);
    if (!pending) return;
    await new Promise<void>((resolve) => {
      const outcomes = { published: () => resolve(), failed: () => resolve() };
      pending.repeated.push({ position: 0, outcomes });
    });
  }

  #tellRoom(): void {
    for (const tell of this.#onRoom.splice(0)) tell();
  }

  /** What has no block yet was never accepted: its callers learn it. */
  close(): void {
    this.#closed = true;
    this.#tellRoom();
    const stopping = new ConcordatError('PEER_UNAVAILABLE', 'stopped before the event had a block');
    const left = [...this.#pending.values()];
    this.#pending.clear();
    for (const pending of left) fail(pending, stopping);
  }

  #schedule(waitMs: number): void {
    const { clock } = this.#context;
    const dueMs = clock.monotonicMs() + waitMs;
    if (dueMs >= this.#dueMs) return;
    this.#dueMs = dueMs;
    void clock.sleep(waitMs).then(() => {
      if (this.#dueMs === dueMs) this.#dueMs = Infinity;
      this.#flush();
    });
  }

  /** How long a block that is not full has to wait still. */
  #paceMs(): number {
    return Math.max(this.#lastMs + PACE_MS - this.#context.clock.monotonicMs(), 0);
  }

  /**
   * Closes blocks on idle lanes: full ones at once, one that is not full only when no lane sends, and some time after the one
   * before. So little traffic stays on one lane, whose acknowledgements set the pace and the size of its blocks.
   */
  #flush(): void {
    if (this.#closed) return;
    const first = this.#open;
    const closing: Closing[] = [];
    const paceMs = this.#paceMs();
    for (let tried = 0; tried < this.#lanes && this.#pending.size > 0; tried += 1) {
      const lane = (first + tried) % this.#lanes;
      const isHeld = paceMs > 0 || closing.length > 0 || this.#isAnySending();
      if (!this.#hasFullBlock() && isHeld) break;
      if (this.#isSending(lane)) continue;
      const taken = this.#takeFor(lane);
      if (taken.length === 0) continue;
      this.#open = (lane + 1) % this.#lanes;
      closing.push({ lane, taken });
    }
    if (closing.length > 0) {
      this.#close(closing);
      this.#lastMs = this.#context.clock.monotonicMs();
    }
    if (this.#pending.size === 0) return;
    if (paceMs > 0) this.#schedule(paceMs);
    else this.#watchSending();
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

  #takeFor(lane: number): Pending[] {
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
    return taken.filter((pending) => this.#stands(pending));
  }

  /** A parent may have been taken back while this waited for a block, and nothing is awaited from here to its commit. */
  #stands(pending: Pending): boolean {
    const { id, derivedFrom } = pending.composed;
    if (derivedFrom.parents.length === 0) return true;
    try {
      demandStanding(this.#context, id, derivedFrom.parents);
      return true;
    } catch (cause) {
      fail(pending, cause);
      return false;
    }
  }

  #close(closing: readonly Closing[]): void {
    const { outbox, self, recent, notices } = this.#context;
    const blocks = closing.map(({ lane, taken }) => ({
      lane,
      composed: taken.map(({ composed }) => composed),
    }));
    try {
      const places = publishBlocks(this.#context, blocks);
      for (const [at, place] of places.entries()) {
        outbox.wake(eventsTopic(self), place.lane);
        for (const [leaf, pending] of (closing[at]?.taken ?? []).entries()) {
          const { id, header, audience } = pending.composed;
          // these two only: the keys are in the vault, and nowhere else from here on
          recent.keep(self, id, { header, audience });
          tell(pending.first, { id, place, leaf, repeated: false });
          for (const waiter of pending.repeated) tell(waiter, { id, place, leaf, repeated: true });
        }
      }
      outbox.wake(ledgerTopic(self), 0);
      notices.wake();
    } catch (cause) {
      for (const { composed } of blocks) dropUnpublished(this.#context, composed);
      for (const { taken } of closing) for (const pending of taken) fail(pending, cause);
    }
    this.#tellRoom();
  }
}

interface Found {
  readonly id: EventId;
  readonly place: BlockPlace;
  readonly leaf: number;
  readonly repeated: boolean;
}

function tell({ position, outcomes }: Waiter, { id, place, leaf, repeated }: Found): void {
  const { lane, epoch, number } = place;
  outcomes.published(position, { id, lane, epoch, number, leaf, repeated });
}

function fail({ first, repeated }: Pending, cause: unknown): void {
  for (const { position, outcomes } of [first, ...repeated]) outcomes.failed(position, cause);
}

function idsOf({ draft: { id, supersedes } }: Offer): EventId[] {
  return supersedes === null ? [id] : [id, supersedes];
}

function laneOf(
  supersedes: EventId | null,
  known: ReadonlyMap<EventId, OwnEvent>,
): number | undefined {
  if (supersedes === null) return undefined;
  const own = known.get(supersedes);
  if (own) return own.lane;
  throw new ConcordatError('EVENT_UNKNOWN', 'supersedes: expected an event published here');
}
