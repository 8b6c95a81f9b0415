import { setImmediate as turn } from 'node:timers/promises';
import type { ConcordatError } from '@concordat/common/domain/errors.js';
import { type MemberId, type OrderId, asUnixMs } from '@concordat/common/domain/ids.js';
import type { MembershipChange } from '@concordat/common/domain/records.js';
import { type Result, ok } from '@concordat/common/domain/result.js';
import { type Verified, verifyStatement } from '@concordat/common/domain/statement.js';
import type { Leaver } from '../../io/leaver-rows.js';
import type { RevocationContext, SignedChange } from '../context.js';
import { askNode } from '../ask-node.js';
import { restOrder } from '../rest-order.js';
import { orderFromLeaver } from './leaver-orders.js';
import { readHoldings } from './read-holdings.js';

/** Leave orders that are shown to the node at once. */
const CALLS_MAX = 8;

interface Answered {
  readonly orderId: OrderId;
  readonly stage: MembershipChange['stage'];
  readonly answer: Result<SignedChange, ConcordatError>;
}

/**
 * Takes members' leaving on from what was last committed: enough people → the own node has signed it → what it was given is
 * read from the ledger → ordered back → all answered → the own node has signed that it has left. What is next is read from the
 * store each time, so a restart resumes there.
 */
export class LeaveOffice {
  readonly #context: RevocationContext;
  readonly #wake: () => void;
  readonly #signal: AbortSignal;
  /** by leave order */
  readonly #calls = new Map<OrderId, Promise<void>>();
  #answered: Answered[] = [];

  /** @param wake asks for another round */
  constructor(context: RevocationContext, signal: AbortSignal, wake: () => void) {
    this.#context = context;
    this.#signal = signal;
    this.#wake = wake;
  }

  /** One round of the pipeline. @returns true when it made orders, or more may be done at once */
  async round(): Promise<boolean> {
    if (this.#signal.aborted) return false;
    const { store, clock } = this.#context;
    this.#keepAnswers();
    for (const id of store.orders.ready('leave_ordered', clock.monotonicMs(), CALLS_MAX)) {
      this.#call(id, 'LEAVING', () => this.#letGo(id));
    }
    let isMore = false;
    for (const leaver of store.leavers.all()) {
      if (this.#takeOn(leaver)) isMore = true;
      await turn();
    }
    return isMore;
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#calls.values());
  }

  /** @returns true when there may be more to do at once */
  #takeOn(leaver: Leaver): boolean {
    const { store, clock } = this.#context;
    if (readHoldings(this.#context, leaver)) return true;
    const { member, orderId, ledgerNumber } = leaver;
    const readUpTo = store.leavers.find(member)?.readUpTo ?? 0;
    if (readUpTo < ledgerNumber) return false;
    if (orderFromLeaver(this.#context, leaver)) return true;
    const rests = store.orders.isResting(orderId, clock.monotonicMs());
    if (leaver.leftAtMs !== undefined || rests || this.#owes(member)) return false;
    this.#call(orderId, 'LEFT', () => this.#context.register.letMemberBeGone(member, this.#signal));
    return false;
  }

  #owes(member: MemberId): boolean {
    const { leavers } = this.#context.store;
    return leavers.owes(member) || leavers.unordered(member, 1).length > 0;
  }

  #letGo(id: OrderId): Promise<SignedChange> {
    const { register, store } = this.#context;
    const order = store.orders.find(id);
    if (!order) throw new TypeError('expected an order of ours');
    return register.letMemberGo(order.bytes, this.#signal, store.orders.approvalsOf(id));
  }

  #call(orderId: OrderId, stage: Answered['stage'], call: () => Promise<SignedChange>): void {
    if (this.#calls.has(orderId)) return;
    const made = askNode(call, this.#signal).then((answer) => {
      if (this.#signal.aborted) return;
      this.#answered.push({ orderId, stage, answer });
      this.#wake();
    });
    this.#calls.set(orderId, made);
  }

  #keepAnswers(): void {
    const answered = this.#answered.splice(0);
    if (answered.length === 0) return;
    this.#context.store.db.transaction(() => {
      for (const one of answered) {
        const kept = one.answer.ok ? this.#keep(one, one.answer.value) : one.answer;
        if (!kept.ok) this.#refused(one, kept.error);
      }
    });
    for (const { orderId } of answered) this.#calls.delete(orderId);
  }

  #keep(
    { orderId, stage }: Answered,
    { change: bytes, ledgerHead }: SignedChange,
  ): Result<'kept', ConcordatError> {
    const { codec, keys, self, store, logger } = this.#context;
    const change = verifyStatement(codec, keys, 'MembershipChange', bytes, { signer: self });
    if (!change.ok) return change;
    const { member, timeMs } = change.value.value;
    if (stage === 'LEFT') {
      store.leavers.left(member, timeMs);
      store.orders.advance(orderId, { kind: 'memberGone' });
      store.orders.closedAt(orderId, timeMs);
    } else {
      const { issuedAtMs, deadlineMs } = this.#order(orderId).value;
      const termMs = deadlineMs - issuedAtMs;
      const leaver = { member, orderId, sinceMs: timeMs, termMs, ledgerNumber: ledgerHead };
      store.leavers.add(leaver);
      store.orders.advance(orderId, { kind: 'memberLetGo' });
      store.orders.setDeadline(orderId, asUnixMs(timeMs + termMs));
    }
    logger.info('a membership changes', { peer: member, outcome: stage });
    return ok('kept');
  }

  #refused({ orderId, stage }: Answered, error: ConcordatError): void {
    const { orders } = this.#context.store;
    if (stage === 'LEAVING' && error.code === 'ORDER_NEEDS_APPROVAL') {
      orders.advance(orderId, { kind: 'approvalMissing' });
    }
    if (stage === 'LEAVING' && error.code === 'ORDER_INVALID') {
      orders.advance(orderId, { kind: 'sealRefused' });
    }
    restOrder(this.#context, orderId, error);
  }

  #order(id: OrderId): Verified<'PurgeOrder'> {
    const { store, statements, self } = this.#context;
    const stored = store.orders.find(id);
    const order = stored && statements('PurgeOrder', stored.bytes, { signer: self });
    if (!order?.ok) throw new TypeError('expected an order of ours');
    return order.value;
  }
}
