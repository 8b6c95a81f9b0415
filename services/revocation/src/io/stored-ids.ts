import { type EventId, type OrderId, eventIdOf, orderIdOf } from '@concordat/common/domain/ids.js';
import { type Row, bytesOf } from '@concordat/common/io/store/sqlite.js';

/** @throws TypeError when the store is damaged */
export function eventIdIn(row: Row, column: string): EventId {
  const id = eventIdOf(bytesOf(row, column));
  if (!id.ok) throw new TypeError(`column ${column}: expected an event id`);
  return id.value;
}

/** @throws TypeError when the store is damaged */
export function orderIdIn(row: Row, column = 'order_id'): OrderId {
  const id = orderIdOf(bytesOf(row, column));
  if (!id.ok) throw new TypeError(`column ${column}: expected an order id`);
  return id.value;
}
