import { setImmediate as turn } from 'node:timers/promises';
import { nextLink } from '@concordat/common/domain/chain.js';
import { cloudEventHeaders } from '@concordat/common/domain/cloud-event.js';
import type { MemberId, OrderId } from '@concordat/common/domain/ids.js';
import { ERASED_ORDERS_MAX } from '@concordat/common/domain/media-erasure.js';
import type { MediaErased } from '@concordat/common/domain/records.js';
import { SUITE, signStatement } from '@concordat/common/domain/statement.js';
import { receiptsTopic } from '@concordat/common/domain/topics.js';
import { Repeating } from '@concordat/common/io/repeating.js';
import { grouped } from '@concordat/common/io/store/packed.js';
import type { UnerasedOrder } from '../io/state/unerased-orders.js';
import type { NodeContext } from './context.js';

/** Events whose keys are looked at in one commit. */
const STEP_EVENTS = 512;
/** After each commit that wrapped something, so that readings and feeds come in between. */
const REST_MS = 5;

/** What one erasure came to. */
export interface Erasure {
  /** key-encryption keys that were destroyed */
  readonly keys: number;
  /** orders of which that is said now, own ones too */
  readonly orders: number;
}

/**
 * Destroys from time to time the key-encryption keys under which purged keys were wrapped, and says so to the origins on
 * the chain of receipts. What is left is wrapped under new ones first, in small commits; a crash between any two of them
 * loses no key, and the next look goes on.
 */
export class MediaEraser {
  readonly #context: NodeContext;
  readonly #clock: Repeating;
  readonly #closing = new AbortController();
  #last: Promise<unknown> = Promise.resolve();
  #hasLooked = false;
  /** Key files that nothing in the vault names, as of the look before: they get one more interval. */
  #strays: readonly number[] = [];

  constructor(context: NodeContext, everyMs: number) {
    this.#context = context;
    this.#clock = new Repeating(context.clock, everyMs, async () => {
      try {
        if (this.#isDue(everyMs)) await this.erase();
        this.#destroyStrays();
      } catch (cause) {
        if (cause instanceof TypeError) throw cause; // a mistake of ours, no matter how often
        // a full disk perhaps
        context.warn(
          'INTERNAL',
          'key-encryption keys could not be destroyed, and this is tried again',
        );
      }
    });
  }

  start(onDeath: (cause: Error) => void): void {
    this.#clock.start(onDeath);
  }

  /** Waits for what is under way, which ends after its present commit. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#clock.close();
    await this.#last;
  }

  /** All that is deleted by now; one erasure after the other. */
  erase(): Promise<Erasure> {
    const erasure = this.#last.then(() => this.#erase());
    this.#last = erasure.catch(() => undefined);
    return erasure;
  }

  async #erase(): Promise<Erasure> {
    const { vault, state, self } = this.#context;
    // with what follows in one piece: their keys are deleted, so every generation of theirs is closed here
    const isDeleting = state.tombstones.unfinished(1).length > 0;
    const orders = state.unerased.all().filter(({ origin }) => !(isDeleting && origin === self));
    const keys = vault.erasure.begin();
    if (keys > 0) {
      if (!(await this.#wrapAnew())) return { keys: 0, orders: 0 };
      vault.settle();
      vault.erasure.finish();
    }
    for (const [origin, some] of grouped(orders, (one) => one.origin)) this.#tell(origin, some);
    return { keys, orders: orders.length };
  }

  /** From beginning to end until nothing is left to wrap; false when it was told to stop before. */
  async #wrapAnew(): Promise<boolean> {
    const { vault, clock } = this.#context;
    const { signal } = this.#closing;
    for (let moved = 1; moved > 0;) {
      moved = 0;
      let step: ReturnType<typeof vault.erasure.step> | undefined;
      do {
        step = vault.erasure.step(step?.last, STEP_EVENTS);
        moved += step.moved;
        await (step.moved > 0 ? clock.sleep(REST_MS, signal).catch(() => undefined) : turn());
        if (signal.aborted) return false;
      } while (step.last);
    }
    return true;
  }

  #tell(origin: MemberId, all: readonly UnerasedOrder[]): void {
    const { state, vault, self, outbox } = this.#context;
    for (let at = 0; at < all.length; at += ERASED_ORDERS_MAX) {
      const orders = new Set(all.slice(at, at + ERASED_ORDERS_MAX).map(({ orderId }) => orderId));
      state.db.transaction(() => {
        if (origin !== self) this.#sign(origin, orders);
        state.unerased.erased(origin, orders);
      });
      vault.erasure.forget(origin, orders);
    }
    if (origin !== self) outbox.wake(receiptsTopic({ origin, recipient: self }), 0);
  }

  #sign(origin: MemberId, orders: ReadonlySet<OrderId>): void {
    const { state, vault, codec, signer, keys, self, clock } = this.#context;
    const topic = receiptsTopic({ origin, recipient: self });
    const head = state.chains.ownHead(topic);
    const erased: MediaErased = {
      ...{ suite: SUITE, federation: keys.federation, origin, keyId: signer.keyId, holder: self },
      ...nextLink(head),
      timeMs: clock.nowMs(),
      generations: vault.erasure.destroyedFor(origin, orders),
      level: vault.erasure.level,
      orders: [...orders],
    };
    const signed = signStatement(codec, signer, 'MediaErased', erased);
    const { epoch, number } = erased;
    state.chains.advanceOwn(topic, head, { epoch, number, hash: signed.hash });
    const about = { kind: 'media-erased', source: self, chain: topic, epoch, number } as const;
    const record = { value: signed.bytes, headers: cloudEventHeaders(about) };
    state.chains.enqueueKept(topic, 0, record, { epoch, number, atMs: erased.timeMs });
    state.chains.count('media.erased');
  }

  /** At a start only what has waited as long as between two looks; from then on at every look. */
  #isDue(everyMs: number): boolean {
    const { state, clock } = this.#context;
    const isDue = this.#hasLooked || state.unerased.countBefore(clock.nowMs() - everyMs) > 0;
    this.#hasLooked = true;
    return isDue;
  }

  #destroyStrays(): void {
    const { erasure } = this.#context.vault;
    erasure.destroyStray(this.#strays);
    this.#strays = erasure.strayKeys();
  }
}
