import { setImmediate as turn } from 'node:timers/promises';
import { countApprovals } from '@concordat/common/domain/approvals.js';
import { equalBytes } from '@concordat/common/domain/bytes.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { OrderId } from '@concordat/common/domain/ids.js';
import { verifyStatement } from '@concordat/common/domain/statement.js';
import { ledgerTopic } from '@concordat/common/domain/topics.js';
import type { StoredSeal } from '../io/state/seal-table.js';
import type { ApprovedOrder } from './check-order.js';
import type { NodeContext } from './context.js';
import { finishBurials } from './finish-burials.js';
import { PacedRuns } from './paced-runs.js';
import { sealAgain, sealOrders } from './seal-orders.js';

/** Orders that come within this time are sealed and deleted together (DESIGN 4: at most 50 ms). */
const GROUP_MS = 40;
/** Events of one commit, unless a single order has more: the node does nothing else meanwhile. */
const GROUP_EVENTS_MAX = 2_000;

interface Waiting {
  readonly order: ApprovedOrder;
  readonly done: (seal: StoredSeal) => void;
  readonly fail: (cause: unknown) => void;
}

/**
 * Destroys the keys of what orders cover. Seal in state, then vault, then data, then the broker's acknowledgement, then
 * the answer: from the first commit on no key leaves, and the holders are read in the same commit. Orders that come
 * together share the commits, and one seal in each block that they touch.
 */
export class SealOffice {
  readonly #context: NodeContext;
  readonly #runs: PacedRuns;
  #waiting: Waiting[] = [];

  constructor(context: NodeContext) {
    this.#context = context;
    this.#runs = new PacedRuns(context.clock, GROUP_MS, () => this.#sealWaiting());
  }

  /** The same order gets the same answer, byte for byte, whoever approved it since. */
  async destroy(
    orderBytes: Uint8Array,
    approvals: readonly Uint8Array[] = [],
  ): Promise<Pick<StoredSeal, 'sealRecord' | 'evidence'>> {
    const { codec, keys, outbox, self } = this.#context;
    const order = verifyStatement(codec, keys, 'PurgeOrder', orderBytes, { signer: self });
    if (!order.ok) throw order.error;
    const approved = {
      ...order.value,
      approvals: countApprovals(this.#context, order.value, approvals),
    };
    const { sealRecord, evidence, ledgerSeq } = await this.#sealed(approved);
    await outbox.acknowledged(ledgerTopic(self), 0, ledgerSeq);
    return { sealRecord, evidence };
  }

  /** Waits for the deletions under way. */
  close(): Promise<void> {
    return this.#runs.close();
  }

  /** Resolves when it is sealed and nothing of its cover is left; rejects when it is refused, or a deletion failed. */
  #sealed(order: ApprovedOrder): Promise<StoredSeal> {
    return new Promise((done, fail) => {
      this.#waiting.push({ order, done, fail });
      this.#runs.join().catch(fail);
    });
  }

  async #sealWaiting(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    while (waiting.length > 0) {
      const group = waiting.splice(0, groupSize(waiting));
      try {
        this.#sealGroup(group);
      } catch (cause) {
        for (const { fail } of group) fail(cause);
      }
      await turn();
    }
  }

  #sealGroup(group: readonly Waiting[]): void {
    const fresh: Waiting[] = [];
    const answers: (() => void)[] = [];
    for (const one of group) {
      const before = this.#sealBefore(one);
      if (before === 'refused') continue;
      if (!before) fresh.push(one);
      else if (equalBytes(before.orderHash, one.order.hash)) answers.push(() => one.done(before));
      else one.fail(idTaken());
    }
    const sealed = sealOrders(
      this.#context,
      fresh.map(({ order }) => order),
    );
    for (const [at, one] of fresh.entries()) {
      const seal = sealed[at];
      if (seal?.ok) answers.push(() => one.done(seal.value));
      else one.fail(seal?.error);
    }
    // open streams learn it before the deletion
    this.#context.notices.wake();
    finishBurials(this.#context);
    for (const answer of answers) answer();
  }

  /** The answer that this order got, if it got one; after a loss of the state it is made once more. */
  #sealBefore({ order, fail }: Waiting): StoredSeal | 'refused' | undefined {
    try {
      return this.#context.state.seals.find(order.value.orderId) ?? sealAgain(this.#context, order);
    } catch (cause) {
      fail(cause);
      return 'refused';
    }
  }
}

/** How many orders from the front are sealed in one commit: each id once, so that the second finds the first one's seal. */
function groupSize(waiting: readonly Waiting[]): number {
  const orderIds = new Set<OrderId>();
  let events = 0;
  for (const [at, { order }] of waiting.entries()) {
    const { orderId, ids } = order.value;
    events += ids.length;
    if (at > 0 && (orderIds.has(orderId) || events > GROUP_EVENTS_MAX)) return at;
    orderIds.add(orderId);
  }
  return waiting.length;
}

function idTaken(): ConcordatError {
  return new ConcordatError('ORDER_INVALID', 'this order id was sealed for another order');
}
