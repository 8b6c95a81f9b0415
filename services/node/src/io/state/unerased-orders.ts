import { type MemberId, type OrderId, type UnixMs, idBytes } from '@concordat/common/domain/ids.js';
import { type Sqlite, bytesOf, numberOf, textOf } from '@concordat/common/io/store/sqlite.js';
import { orderIdIn } from './stored-ids.js';

export const UNERASED_ORDERS_SCHEMA = `
CREATE TABLE IF NOT EXISTS unerased(
  origin TEXT NOT NULL, order_id BLOB NOT NULL, since_ms INTEGER NOT NULL, PRIMARY KEY(origin, order_id)) WITHOUT ROWID;
`;

export interface UnerasedOrder {
  readonly origin: MemberId;
  readonly orderId: OrderId;
}

/**
 * Orders whose keys are deleted here, and of which no statement says yet that the keys are destroyed under which these were
 * wrapped. Own orders stand here too, though nobody is told of them.
 */
export class UnerasedOrders {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** For the commit of the receipt that says _deleted_; of own orders, of the seal. */
  add({ origin, orderId }: UnerasedOrder, atMs: UnixMs): void {
    this.#db.run('INSERT OR IGNORE INTO unerased VALUES(?, ?, ?)', origin, idBytes(orderId), atMs);
  }

  all(): UnerasedOrder[] {
    return this.#db.all('SELECT origin, order_id FROM unerased').map((row) => ({
      origin: textOf(row, 'origin') as MemberId,
      orderId: orderIdIn(bytesOf(row, 'order_id')),
    }));
  }

  erased(origin: MemberId, orders: Iterable<OrderId>): void {
    for (const id of orders) {
      this.#db.run('DELETE FROM unerased WHERE origin = ? AND order_id = ?', origin, idBytes(id));
    }
  }

  count(): number {
    return numberOf(this.#db.get('SELECT count(*) AS n FROM unerased') ?? {}, 'n');
  }

  /** Those that were deleted before then. */
  countBefore(atMs: number): number {
    const row = this.#db.get('SELECT count(*) AS n FROM unerased WHERE since_ms < ?', atMs);
    return numberOf(row ?? {}, 'n');
  }
}
