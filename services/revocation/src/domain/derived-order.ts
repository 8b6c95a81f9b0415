import { lengthPrefixed, sha256, utf8 } from '@concordat/common/domain/bytes.js';
import { type MemberId, type OrderId, orderIdOf } from '@concordat/common/domain/ids.js';

/** Whose order it is, and how long holders have to answer: the same for every order that follows from a fact. */
export interface OrderMaker {
  readonly federation: string;
  readonly origin: MemberId;
  readonly keyId: string;
  readonly deadlineInMs: number;
}

/** An order id that follows from facts alone. @param kind of the facts, so that two kinds never meet */
export function derivedOrderId(
  kind: string,
  { federation, origin }: Pick<OrderMaker, 'federation' | 'origin'>,
  ...facts: readonly Uint8Array[]
): OrderId {
  const digest = sha256(lengthPrefixed(utf8(kind), utf8(federation), utf8(origin), ...facts));
  const id = orderIdOf(digest.subarray(0, 16));
  if (!id.ok) throw new TypeError('16 bytes are an order id');
  return id.value;
}
