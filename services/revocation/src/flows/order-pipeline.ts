import { setMaxListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { type ConcordatError, asConcordatError } from '@concordat/common/domain/errors.js';
import type { OrderId } from '@concordat/common/domain/ids.js';
import { orderedAloneBy } from '@concordat/common/domain/approvals.js';
import { isRuleReason } from '@concordat/common/domain/purge-order.js';
import { ok, type Result } from '@concordat/common/domain/result.js';
import type { Verified } from '@concordat/common/domain/statement.js';
import { ledgerTopic } from '@concordat/common/domain/topics.js';
import { lastSealNumber } from '../domain/certificate-build.js';
import { type ReadSeal, type SealAnswer, readSealAnswer } from '../domain/seal-answer.js';
import { appendEntries } from './append-entries.js';
import { askNode } from './ask-node.js';
import { certify } from './certify.js';
import type { RevocationContext } from './context.js';
import { LeaveOffice } from './leaving/leave-office.js';
import { restOrder } from './rest-order.js';

/** DestroyKeys calls under way at once. */
const SEALING_MAX = 256;
/** What their answers may tell of together, about 1 KiB an event, decoded some more; a single order may have more. */
const SEALING_EVENTS_MAX = 4_096;
/** So long is certified in one round, and closed in one commit. */
const CERTIFY_MS = 20;
/** While keys are being destroyed, certificates are made for one part in so many of the time. */
const CERTIFY_SHARE = 10;
/** Orders that one round takes in each state; fewer when they have more events than that: calls are answered in between. */
const ROUND_ORDERS = 64;
const ROUND_EVENTS = 2_000;

interface Answered {
  readonly order: Verified<'PurgeOrder'>;
  readonly answer: Result<SealAnswer, ConcordatError>;
}

/**
 * Takes every order on from the state that was last committed: ordered → sealed → appended → closed. What to do next is
 * read from the store each time, so a restart resumes where the last commit left off, and nothing is held in memory.
 */
export class OrderPipeline {
  readonly #context: RevocationContext;
  readonly #onDeath: (cause: ConcordatError) => void;
  /** calls under way, and those that are answered and not kept yet */
  readonly #sealing = new Map<OrderId, { readonly call: Promise<void>; readonly events: number }>();
  #answered: Answered[] = [];
  readonly #closing = new AbortController();
  readonly #leaves: LeaveOffice;
  #round: Promise<void> | undefined;
  #isWanted = false;
  #certifyAgainMs = -Infinity;
  #timer = new AbortController();

  constructor(context: RevocationContext, onDeath: (cause: ConcordatError) => void) {
    this.#context = context;
    this.#onDeath = onDeath;
    this.#leaves = new LeaveOffice(context, this.#closing.signal, () => this.wake());
    // one listener and more for each order that is under way
    setMaxListeners(0, this.#closing.signal);
  }

  start(): void {
    this.#context.store.orders.wakeAll();
    this.wake();
  }

  /** Call after every commit that may let an order go on. */
  wake(): void {
    this.#isWanted = true;
    if (this.#closing.signal.aborted) return;
    // not at once: answers that come together share a round, and what a round does may wake the next one
    this.#round ??= turn()
      .then(() => this.#rounds())
      .then(
        () => {
          this.#round = undefined;
          if (this.#isWanted) this.wake();
        },
        (cause: unknown) => {
          this.#round = undefined;
          this.#onDeath(asConcordatError(cause));
        },
      );
  }

  /** Gives calls under way up; their orders are asked about again after the next start. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#timer.abort();
    await this.#round;
    await Promise.allSettled([...this.#sealing.values()].map(({ call }) => call));
    await this.#leaves.close();
  }

  async #rounds(): Promise<void> {
    while (this.#isWanted && !this.#closing.signal.aborted) {
      this.#isWanted = false;
      if (await this.#leaves.round()) this.#isWanted = true;
      this.#seal();
      this.#keepAnswers();
      await this.#append();
      await this.#certify();
    }
    this.#setTimer();
  }

  /** One commit for all that are answered by now: a sync of the disk costs more than an order. */
  #keepAnswers(): void {
    const answered = this.#answered.splice(0, roundOf(this.#answered.map(({ order }) => order)));
    if (answered.length === 0) return;
    this.#isWanted = true;
    this.#context.store.db.transaction(() => {
      for (const { order, answer } of answered) {
        const kept = answer.ok ? this.#keepSeal(order, answer.value) : answer;
        if (!kept.ok) this.#refused(order, kept.error);
      }
    });
    for (const { order } of answered) this.#sealing.delete(order.value.orderId);
  }

  /** One commit for the entries of all that are sealed by now. */
  async #append(): Promise<void> {
    const { store, clock, outbox } = this.#context;
    const ids = store.orders.ready('sealed', clock.monotonicMs(), ROUND_ORDERS);
    if (ids.length === 0) return;
    const ready = ids.map((id) => ({ id, order: this.#order(id) }));
    const size = roundOf(ready.map(({ order }) => (order.ok ? order.value : undefined)));
    const topics = store.db.transaction(() =>
      ready.slice(0, size).flatMap(({ id, order }) => this.#appendOne(id, order)),
    );
    for (const topic of new Set(topics)) outbox.wake(topic, 0);
    this.#isWanted = true;
    await turn();
  }

  #appendOne(
    id: OrderId,
    order: Result<Verified<'PurgeOrder'>, ConcordatError>,
  ): readonly string[] {
    const answer = this.#context.store.orders.sealOf(id);
    const read = order.ok ? this.#readSeal(order.value, answer) : order;
    if (order.ok && read.ok) return appendEntries(this.#context, order.value, read.value.seal);
    if (!read.ok) restOrder(this.#context, id, read.error);
    return [];
  }

  /**
   * A few certificates a round, and few rounds while keys are being destroyed: each opens and checks the whole chain of every
   * block it touches, and what destroys keys or tells holders must not wait for that.
   */
  async #certify(): Promise<void> {
    const { store, clock, self, logger } = this.#context;
    const startMs = clock.monotonicMs();
    // the end of a call wakes this again
    const isBusy = this.#sealing.size > 0;
    if (isBusy && startMs < this.#certifyAgainMs) return;
    const { number } = store.chains.followedHead(ledgerTopic(self));
    const ready = store.orders.readyToClose(number, startMs, ROUND_ORDERS);
    if (ready.length === 0 || this.#closing.signal.aborted) return;
    this.#isWanted = true;
    const closed: OrderId[] = [];
    store.db.transaction(() => {
      for (const id of ready) {
        if (this.#certifyOne(id)) closed.push(id);
        if (clock.monotonicMs() >= startMs + CERTIFY_MS) return;
      }
    });
    for (const orderId of closed) logger.info('an order is closed', { orderId });
    const endMs = clock.monotonicMs();
    this.#certifyAgainMs = endMs + (endMs - startMs) * (CERTIFY_SHARE - 1);
    await turn();
  }

  #certifyOne(id: OrderId): boolean {
    const order = this.#order(id);
    const closed = order.ok ? certify(this.#context, order.value) : order;
    if (!closed.ok) restOrder(this.#context, id, closed.error);
    return closed.ok;
  }

  #seal(): void {
    if (this.#closing.signal.aborted) return;
    const { store, clock } = this.#context;
    const ready = store.orders.ready('ordered', clock.monotonicMs(), SEALING_MAX);
    let events = [...this.#sealing.values()].reduce((sum, one) => sum + one.events, 0);
    for (const id of ready.filter((one) => !this.#sealing.has(one))) {
      if (this.#sealing.size >= SEALING_MAX || events >= SEALING_EVENTS_MAX) return;
      const order = this.#order(id);
      if (!order.ok) {
        restOrder(this.#context, id, order.error);
        continue;
      }
      const count = order.value.value.ids.length;
      this.#sealing.set(id, { call: this.#sealOne(order.value), events: count });
      events += count;
    }
  }

  async #sealOne(order: Verified<'PurgeOrder'>): Promise<void> {
    const { signal } = this.#closing;
    const { node, store } = this.#context;
    const approvals = store.orders.approvalsOf(order.value.orderId);
    const destroy = () => node.destroyKeys(order.bytes, signal, approvals);
    const answer = await askNode(destroy, signal);
    if (signal.aborted) return;
    this.#answered.push({ order, answer });
    this.wake();
  }

  #keepSeal(order: Verified<'PurgeOrder'>, answer: SealAnswer): Result<'kept', ConcordatError> {
    const { store, clock } = this.#context;
    const { orderId } = order.value;
    const read = this.#readSeal(order, answer);
    if (!read.ok) return read;
    const sealNumber = lastSealNumber(read.value.seal.value);
    store.orders.keepSeal(orderId, answer, sealNumber, clock.nowMs());
    store.ledger.claim(order.value);
    store.orders.advance(orderId, { kind: 'sealAnswered' });
    return ok('kept');
  }

  /**
   * A person's order that the node does not take lets go of its events: a rule, or another order, may take them back. What
   * it will never take is over, when another order has sealed an event of it for example; the rest is asked about again.
   */
  #refused(order: Verified<'PurgeOrder'>, error: ConcordatError): void {
    const { store } = this.#context;
    const { orderId, reason } = order.value;
    const isLetGo = !error.retryable && !isRuleReason(reason);
    if (isLetGo) store.ledger.unclaim(orderId);
    // what a leaving member was given is taken back by another order then
    const isOver = error.code === 'ORDER_INVALID';
    if (isOver || (isLetGo && order.key.role === 'purge-officer')) {
      store.leavers.forgetOrder(orderId);
    }
    const approvalMissing =
      error.code === 'ORDER_NEEDS_APPROVAL' &&
      store.orders.advance(orderId, { kind: 'approvalMissing' });
    const isRefused = isOver && store.orders.advance(orderId, { kind: 'sealRefused' });
    if (approvalMissing || isRefused) this.#uncount(order);
    restOrder(this.#context, orderId, error);
  }

  /** It took nothing back: who signed it did not take that much back alone. */
  #uncount(order: Verified<'PurgeOrder'>): void {
    const { store } = this.#context;
    const { orderId, ids } = order.value;
    const person = orderedAloneBy(order, { people: new Set() });
    const stored = store.orders.find(orderId);
    if (person === undefined || !stored || store.orders.approversOf(orderId).length > 0) return;
    store.alone.add(person, stored.orderedAtMs, -ids.length);
  }

  #order(id: OrderId): Result<Verified<'PurgeOrder'>, ConcordatError> {
    const { store, statements, self } = this.#context;
    const stored = store.orders.find(id);
    if (!stored) throw new TypeError('expected an order of ours');
    return statements('PurgeOrder', stored.bytes, { signer: self });
  }

  #readSeal(order: Verified<'PurgeOrder'>, answer: SealAnswer): Result<ReadSeal, ConcordatError> {
    return readSealAnswer(this.#context.codec, this.#context.statements, order, answer);
  }

  /** One timer, for the order that may go on first. */
  #setTimer(): void {
    this.#timer.abort();
    const { store, clock } = this.#context;
    const now = clock.monotonicMs();
    const at = store.orders.nextWake(now);
    if (at === undefined || this.#closing.signal.aborted) return;
    this.#timer = new AbortController();
    clock.sleep(Math.ceil(at - now), this.#timer.signal).then(
      () => {
        this.wake();
      },
      () => undefined,
    );
  }
}

/** How many of these, from the front, one round takes. */
function roundOf(orders: readonly (Verified<'PurgeOrder'> | undefined)[]): number {
  let events = 0;
  for (const [at, order] of orders.entries()) {
    events += order?.value.ids.length ?? 0;
    if (at > 0 && (at === ROUND_ORDERS || events > ROUND_EVENTS)) return at;
  }
  return orders.length;
}
