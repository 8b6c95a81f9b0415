import { setTimeout as delay } from 'node:timers/promises';
import type { EventId, MemberId, OrderId } from '@concordat/common/domain/ids.js';
import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { newOrderId } from '@concordat/cli/io/new-id.js';
import { signOrders } from '@concordat/cli/io/sign-order.js';
import type { Order } from '../checker/history.js';
import { ORIGIN, type Stage } from '../stage/federation.js';

type StatusResponse = concordat.revocation.v1.StatusResponse;

const CALL_MS_MAX = 5_000;
const AGAIN_MS = 300;
const TRIES_MAX = 60;
const DEADLINE_MS = 3_600_000;
/** The state from which on the origin itself may read no more. */
const UNSEALED = ['AWAITING_APPROVAL', 'ORDERED'];
const GONE = ['DELETED', 'NOT_HELD'];

/** A purge officer of the origin: takes events back, and knows of each what became of it. */
export class Officer {
  readonly #stage: Stage;
  readonly #events = new Map<string, readonly string[]>();
  readonly #ordered = new Set<string>();
  /** by event: members that may not read it any more, because they said so */
  readonly gone = new Map<string, Set<MemberId>>();

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  isOrdered(event: string): boolean {
    return this.#ordered.has(event);
  }

  get orders(): number {
    return this.#events.size;
  }

  /** Hands an order in until it is accepted: the same bytes each time. @returns its id */
  async takeBack(events: readonly string[], deadlineMs = DEADLINE_MS): Promise<string> {
    const { home, purge } = this.#stage;
    for (const event of events) this.#ordered.add(event);
    const orderId: OrderId = newOrderId({ clock: systemClock, random: systemRandom });
    const [order = new Uint8Array()] = await signOrders(
      { clock: systemClock },
      {
        ...{ home, member: ORIGIN, reason: 'error', deadlineMs },
        orders: [{ orderId, ids: events as readonly EventId[] }],
      },
    );
    this.#events.set(orderId, events);
    const call = { timeoutMs: CALL_MS_MAX, waitForReady: true };
    for (let nth = 0; !(await answered(purge.order({ order }, call))); nth += 1) {
      if (nth === TRIES_MAX) throw new Error(`order ${orderId} was not accepted`);
      await delay(AGAIN_MS);
    }
    return orderId;
  }

  /** Of one that was away: it may not read this any more, though it has not said so yet. */
  mayNotRead(event: string, member: MemberId): void {
    this.gone.set(event, new Set([...(this.gone.get(event) ?? []), member]));
  }

  status(orderId: string): Promise<StatusResponse> {
    return this.#stage.purge.status({ orderId }, { timeoutMs: CALL_MS_MAX, waitForReady: true });
  }

  /** Asks after every order that may still change. @returns how many are not closed */
  async look(): Promise<number> {
    const ids = [...this.#events.keys()];
    const { orders } = await this.#stage.purge.statusOfMany(
      { orderIds: ids },
      { timeoutMs: CALL_MS_MAX, waitForReady: true },
    );
    for (const one of orders) {
      const members = one.holders
        .filter(({ state }) => GONE.includes(state))
        .map(({ member }) => member as MemberId);
      if (!UNSEALED.includes(one.state)) members.push(ORIGIN);
      for (const event of this.#events.get(one.orderId) ?? []) {
        const gone = this.gone.get(event) ?? new Set();
        this.gone.set(event, new Set([...gone, ...members]));
      }
    }
    return ids.length - orders.filter(({ state }) => state === 'CLOSED').length;
  }

  /** What had become of every order. */
  async account(): Promise<Order[]> {
    const orders: Order[] = [];
    for (const [id, events] of this.#events) {
      const { state, holders } = await this.status(id);
      const { notices } = await this.#stage.purge.notices(
        { orderId: id },
        { timeoutMs: CALL_MS_MAX, waitForReady: true },
      );
      const named = new Set(notices.map(({ member }) => member));
      orders.push({
        ...{ id, events, state },
        holders: holders.map(({ member, state: its }) => {
          return { member, state: its, isNamed: named.has(member) };
        }),
      });
    }
    return orders;
  }
}

function answered(call: Promise<unknown>): Promise<boolean> {
  return call.then(
    () => true,
    () => false,
  );
}
