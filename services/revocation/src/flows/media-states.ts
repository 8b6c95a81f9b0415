import { toDsseJson } from '@concordat/common/domain/dsse-json.js';
import type { OrderId } from '@concordat/common/domain/ids.js';
import { ERASED_WITHIN_MS } from '@concordat/common/domain/media-erasure.js';
import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import type { RevocationContext } from './context.js';

type MediaErasure = concordat.revocation.v1.MediaErasure;

/** What is known of a holder's media, beside its receipts. */
export interface MediaState {
  /** 0: not said of all that it deleted */
  readonly mediaErasedAtMs: number;
  readonly mediaLevel: string;
  readonly mediaOverdue: boolean;
}

/** For one order: what each holder said of its media, and whose word is overdue. */
export function mediaStates(
  { store, clock }: RevocationContext,
  orderId: OrderId,
): (holder: string) => MediaState {
  const said = new Map(store.media.of(orderId).map((one) => [one.holder as string, one]));
  const missing = store.media.missing(orderId);
  const overdueBefore = clock.nowMs() - ERASED_WITHIN_MS;
  return (holder) => {
    const since = missing.get(holder);
    const last = since === undefined ? said.get(holder) : undefined;
    return {
      mediaErasedAtMs: last?.atMs ?? 0,
      mediaLevel: last?.level ?? '',
      mediaOverdue: since !== undefined && since < overdueBefore,
    };
  };
}

export function mediaErasuresOf(
  { store, codec }: RevocationContext,
  orderId: OrderId,
): MediaErasure[] {
  return store.media.of(orderId).map(({ holder, number, level, bytes, atMs }) => {
    const signed = codec.decode('Signed', bytes);
    if (!signed.ok) throw signed.error;
    const dsseJson = toDsseJson(signed.value);
    return { member: holder, number, level, receivedAtMs: atMs, dsseJson };
  });
}
