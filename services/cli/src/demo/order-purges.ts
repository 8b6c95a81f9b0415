import { type OrderId, parseOrderId } from '@concordat/common/domain/ids.js';
import type { Clock, Random } from '@concordat/common/domain/ports.js';
import { WHOLE_COVER } from '@concordat/common/domain/purge-order.js';
import type { RecordCodec } from '@concordat/common/domain/records.js';
import { SUITE, type Signer, signStatement } from '@concordat/common/domain/statement.js';
import { v7 as uuidv7 } from 'uuid';
import type { Listed } from './book.js';
import type { DemoClients } from './clients.js';
import { insist } from './patience.js';
import { FEDERATION, ORDER_DEADLINE_MS, ORIGIN } from './scenario.js';
import { asUnixMs } from '@concordat/common/domain/ids.js';

const ORDER_TIMEOUT_MS = 15_000;

/** Signs one order for these events as the purge officer and hands it to the revocation service. */
export async function orderPurge(
  parts: {
    readonly clock: Clock;
    readonly random: Random;
    readonly codec: RecordCodec;
    readonly clients: DemoClients;
    readonly officer: Signer;
  },
  ...listed: readonly Listed[]
): Promise<OrderId> {
  const { clock, random, codec, clients, officer } = parts;
  const nowMs = clock.nowMs();
  const orderId = parseOrderId(uuidv7({ msecs: nowMs, random: random.bytes(16) }));
  if (!orderId.ok) throw new TypeError('a new id is not a UUID');
  const order = signStatement(codec, officer, 'PurgeOrder', {
    suite: SUITE,
    federation: FEDERATION,
    origin: ORIGIN,
    keyId: officer.keyId,
    orderId: orderId.value,
    issuedAtMs: nowMs,
    deadlineMs: asUnixMs(nowMs + ORDER_DEADLINE_MS),
    reason: 'delisted',
    ids: listed.map(({ id }) => id),
    supersededBy: null,
    ...WHOLE_COVER,
    cause: null,
  });
  await insist(clock, () =>
    clients.purge.order(
      { order: order.bytes },
      { timeoutMs: ORDER_TIMEOUT_MS, waitForReady: true },
    ),
  );
  return orderId.value;
}
