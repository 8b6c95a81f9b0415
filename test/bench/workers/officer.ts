import type { EventId } from '@concordat/common/domain/ids.js';
import { systemClock, systemRandom } from '@concordat/common/io/system-ports.js';
import { signOrder } from '@concordat/cli/io/sign-order.js';
import { type Place, connect } from '../connect.js';
import { openLoop } from '../open-loop.js';
import { machineMs } from '../proc.js';
import { untilComplete } from '../until-complete.js';

type Connection = Awaited<ReturnType<typeof connect<'purge'>>>;

const CALL = { timeoutMs: 120_000, waitForReady: true } as const;
const DEADLINE_MS = 3_600_000;

interface Sent {
  readonly orderId: string;
  /** by the wall clock, as the revocation service notes when it has verified a receipt */
  readonly dueAtMs: number;
}

/** The origin's purge officer: signs orders, hands them in, and looks up when each holder's receipt was verified. */
export function officerCalls() {
  let connection: Connection | undefined;
  let place: Place | undefined;
  let prepared: readonly Uint8Array[] = [];

  const opened = (): Connection => {
    if (!connection) throw new TypeError('not connected');
    return connection;
  };

  /** @returns when the last holder's receipt was verified; undefined while one is missing */
  const answeredAtMs = async (orderId: string, holders: number): Promise<number | undefined> => {
    const status = await opened().client.status({ orderId }, CALL);
    const times = status.holders.map((holder) => holder.answeredAtMs);
    return times.length === holders && times.every((ms) => ms > 0) ? Math.max(...times) : undefined;
  };

  return {
    async connect(given: Place): Promise<void> {
      place = given;
      connection = await connect(given, 'purge');
    },

    /** Signs an order for each group of events. */
    async prepare(groups: readonly (readonly string[])[]): Promise<void> {
      if (!place) throw new TypeError('not connected');
      const ports = { clock: systemClock, random: systemRandom };
      const orders: Uint8Array[] = [];
      for (const ids of groups) {
        const about = { ...place, ids: ids as readonly EventId[], reason: 'error' as const };
        orders.push(await signOrder(ports, { ...about, deadlineMs: DEADLINE_MS }));
      }
      prepared = orders;
    },

    /** Hands the orders in at a steady rate. @returns them in order */
    async orderSteadily(perSecond: number): Promise<Sent[]> {
      const ids = new Map<Uint8Array, string>();
      const offsetMs = Date.now() - machineMs();
      const dueMs = await openLoop(prepared, perSecond, async (order) => {
        ids.set(order, (await opened().client.order({ order }, CALL)).orderId);
      });
      return prepared.map((order, at) => ({
        orderId: ids.get(order) ?? '',
        dueAtMs: (dueMs[at] ?? 0) + offsetMs,
      }));
    },

    /** Waits until every holder has answered every order. @returns by order, when the last receipt was verified */
    async answered(about: {
      readonly orderIds: readonly string[];
      readonly holders: number;
    }): Promise<number[]> {
      const open = new Set(about.orderIds);
      const times = new Map<string, number>();
      await untilComplete('orders with every receipt', open.size, async () => {
        for (const orderId of open) {
          const atMs = await answeredAtMs(orderId, about.holders);
          if (atMs === undefined) break; // orders are answered about in turn
          times.set(orderId, atMs);
          open.delete(orderId);
        }
        return times.size;
      });
      return about.orderIds.map((id) => times.get(id) ?? 0);
    },
  };
}
export type OfficerCalls = ReturnType<typeof officerCalls>;
