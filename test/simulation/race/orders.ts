import type { EventId, MemberId, OrderId } from '@concordat/common/domain/ids.js';
import { type Cover, isWhole, meets } from '@concordat/common/domain/purge-order.js';
import type { SealRecord } from '@concordat/common/domain/records.js';
import type { Draw } from '@concordat/common/domain/synthetic/draw.js';
import type { TestFederation } from '../../support/federation.js';
import { officerOrder, orderId } from '../../support/ledger.js';
import { DE } from '../../support/node-world.js';
import { SECTION, eventsOfRace } from './template.js';

/** An order of a race, and what has become of it. */
export interface RaceOrder extends Cover {
  readonly orderId: OrderId;
  readonly ids: readonly EventId[];
  readonly bytes: Uint8Array;
  /** the step in which the origin committed its seal */
  sealedAt: number | undefined;
  /** the first answer to it */
  sealRecord: Uint8Array | undefined;
  record: SealRecord | undefined;
}

/** One to three: of a whole event, of two that may share a block, of a section, of one recipient. */
export function drawOrders(draw: Draw, members: TestFederation): RaceOrder[] {
  return draw.list(1, 3, (n) => {
    const ids = draw.some(eventsOfRace, 2);
    const recipients: MemberId[] = draw.chance(15) ? [DE] : [];
    const sections = draw.chance(25) ? [SECTION] : [];
    const order = { orderId: orderId(n + 1), ids, recipients, sections };
    const bytes = officerOrder(members, order);
    return {
      ...{ ...order, bytes },
      ...{ sealedAt: undefined, sealRecord: undefined, record: undefined },
    };
  });
}

/** Does the order take this section of the event from this recipient? */
export function takes(
  order: RaceOrder,
  { recipient, id, section }: { recipient: MemberId; id: EventId; section: string },
): boolean {
  return order.ids.includes(id) && meets(order, { recipient, sections: [section] });
}

export function takesAll(order: RaceOrder, id: EventId): boolean {
  return isWhole(order) && order.ids.includes(id);
}
