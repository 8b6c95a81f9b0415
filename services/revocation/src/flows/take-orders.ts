import { setImmediate as turn } from 'node:timers/promises';
import {
  approvalProblem,
  countApprovals,
  orderedAloneBy,
} from '@concordat/common/domain/approvals.js';
import { type ConcordatError, asConcordatError } from '@concordat/common/domain/errors.js';
import type { OrderId } from '@concordat/common/domain/ids.js';
import { type Result, err, ok } from '@concordat/common/domain/result.js';
import { readOfficerOrder } from '../domain/officer-order.js';
import type { RevocationContext } from './context.js';

interface Waiting {
  readonly bytes: Uint8Array;
  readonly done: (taken: Result<OrderId, ConcordatError>) => void;
}

/** Takes officers' orders; those that come together share one commit. */
export class OrderIntake {
  readonly #context: RevocationContext;
  #waiting: Waiting[] = [];

  constructor(context: RevocationContext) {
    this.#context = context;
  }

  /**
   * Durable when it resolves. The same bytes again change nothing, but an order that rests is asked about at once.
   *
   * @throws ConcordatError for an order that is refused
   */
  async take(bytes: Uint8Array): Promise<OrderId> {
    const taken = await new Promise<Result<OrderId, ConcordatError>>((done) => {
      this.#waiting.push({ bytes, done });
      if (this.#waiting.length === 1) void turn().then(() => this.#commit());
    });
    if (!taken.ok) throw taken.error;
    return taken.value;
  }

  #commit(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const answers: (() => void)[] = [];
    try {
      this.#context.store.db.transaction(() => {
        for (const { bytes, done } of waiting) {
          const taken = takeOrder(this.#context, bytes);
          answers.push(() => done(taken));
        }
      });
    } catch (cause) {
      for (const { done } of waiting) done(err(asConcordatError(cause)));
      return;
    }
    for (const answer of answers) answer();
  }
}

/** Call inside of a transaction. What is refused leaves no more than its count. */
function takeOrder(context: RevocationContext, bytes: Uint8Array): Result<OrderId, ConcordatError> {
  const { statements, self, others, store, clock } = context;
  const read = readOfficerOrder(bytes, {
    statements,
    origin: self,
    others,
    standing: (id) => store.ledger.standing(id),
    isLeaving: (member) => store.leavers.find(member) !== undefined,
    known: (id) => store.orders.find(id)?.bytes,
  });
  if (!read.ok) {
    store.chains.count(`orders.refused.${read.error.code}`);
    return read;
  }
  const { order, isRepeated } = read.value;
  const { orderId } = order.value;
  if (isRepeated) {
    store.orders.wake(orderId);
    return ok(orderId);
  }
  const nowMs = clock.nowMs();
  store.orders.add(order.value, bytes, nowMs);
  const approvals = countApprovals(context, order, []);
  // what waits for a second person holds no event back from rules and other orders
  const person = orderedAloneBy(order, approvals);
  const alone = person === undefined ? 0 : store.alone.count(person, nowMs);
  if (approvalProblem(order, approvals, { above: context.approvalsAbove, alone })) {
    store.orders.advance(orderId, { kind: 'approvalMissing' });
  } else {
    store.ledger.claim(order.value);
    if (person !== undefined) store.alone.add(person, nowMs, order.value.ids.length);
  }
  store.chains.count('orders.taken');
  return ok(orderId);
}
