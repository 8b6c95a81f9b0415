import { type EventId, type OrderId, eventIdOf, orderIdOf } from '@concordat/common/domain/ids.js';

/** @throws TypeError when the state store is damaged */
export function eventIdIn(bytes: Uint8Array): EventId {
  const id = eventIdOf(bytes);
  if (!id.ok) throw new TypeError('an id in the state store is not a UUIDv7');
  return id.value;
}

/** @throws TypeError when the state store is damaged */
export function orderIdIn(bytes: Uint8Array): OrderId {
  const id = orderIdOf(bytes);
  if (!id.ok) throw new TypeError('an order id in the state store is not 16 bytes');
  return id.value;
}
