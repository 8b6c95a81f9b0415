import { newOrderId } from '@concordat/cli/io/new-id.js';
import { type EventId, type MemberId, asUnixMs } from '@concordat/common/domain/ids.js';
import type { PurgeOrder } from '@concordat/common/domain/records.js';
import { SUITE, signStatement, statementHash } from '@concordat/common/domain/statement.js';
import type { Draw } from '@concordat/common/domain/synthetic/draw.js';
import { PurgeService } from '@concordat/common/io/rpc/definitions.js';
import type { Officer } from '../../support/federation.js';
import type { BookedOrder } from '../world/book.js';
import { fastRandom } from '../world/fast-random.js';
import type { World } from '../world/world.js';
import { SOON, attempt, isUnknown } from './attempt.js';

const HOUR_MS = 3_600_000;

export interface WantedOrder {
  readonly origin: MemberId;
  readonly ids: readonly EventId[];
  readonly recipients?: readonly MemberId[];
  readonly sections?: readonly string[];
  readonly reason?: PurgeOrder['reason'];
  /** in words: event, subject, category, … */
  readonly scope: string;
}

/** An officer signs it and hands it in, until it is known to be there or is refused. */
export async function orderPurge(
  world: World,
  draw: Draw,
  wanted: WantedOrder,
): Promise<BookedOrder> {
  const { origin, ids, recipients = [], sections = [], reason = 'delisted', scope } = wanted;
  const signer = world.federation.signer(origin, 'purge-officer');
  const random = fastRandom(String(world.seed), 'order', String(world.book.orders.size));
  const deadlineMs = world.nowMs + draw.pick([12, 24, 72]) * HOUR_MS;
  const value: PurgeOrder = {
    ...{ suite: SUITE, federation: 'test', origin, keyId: signer.keyId },
    orderId: newOrderId({ clock: world.clock, random }),
    ...{ issuedAtMs: asUnixMs(world.nowMs), deadlineMs: asUnixMs(deadlineMs) },
    ...{ reason, ids: [...ids], recipients: [...recipients], sections: [...sections] },
    ...{ supersededBy: null, cause: null },
  };
  const { bytes } = signStatement(world.template.schemas.codec, signer, 'PurgeOrder', value);
  const order: BookedOrder = {
    ...{ origin, orderId: value.orderId, ids, recipients, sections, reason, bytes, scope },
    ...{ deadlineMs, state: 'asked', code: undefined },
  };
  world.book.orders.set(order.orderId, order);
  const office = world.client(PurgeService, origin, 'revocation', 'operator');
  for (let tries = 0; tries < 5; tries += 1) {
    const came = await attempt(office.order({ order: bytes }, SOON));
    if (came.ok) {
      order.state = 'accepted';
      return order;
    }
    order.code = came.code;
    order.state = isUnknown(came.code) ? 'unknown' : 'refused';
    if (order.state === 'refused') return order;
    await world.scheduler.sleep(world.outside, 2_000);
  }
  return order;
}

/** A second officer signs an approval of the order. */
export async function approveOrder(
  world: World,
  order: BookedOrder,
  officer: Officer,
): Promise<void> {
  const { codec } = world.template.schemas;
  const signer = world.federation.signer(order.origin, 'purge-officer', officer);
  const signed = codec.decode('Signed', order.bytes);
  if (!signed.ok) throw signed.error;
  const { bytes } = signStatement(codec, signer, 'PurgeApproval', {
    ...{ suite: SUITE, federation: 'test', origin: order.origin, keyId: signer.keyId },
    ...{ orderId: order.orderId, orderHash: statementHash(signed.value) },
    timeMs: asUnixMs(world.nowMs),
  });
  const office = world.client(PurgeService, order.origin, 'revocation', 'operator');
  await attempt(office.approve({ approval: bytes }, SOON));
}
