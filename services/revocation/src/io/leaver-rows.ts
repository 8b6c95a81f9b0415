import {
  type EventId,
  type MemberId,
  type OrderId,
  type UnixMs,
  asUnixMs,
  idBytes,
} from '@concordat/common/domain/ids.js';
import { type Row, type Sqlite, numberOf, textOf } from '@concordat/common/io/store/sqlite.js';
import { eventIdIn, orderIdIn } from './stored-ids.js';

/**
 * `read_up_to` is the ledger number up to which `leaver_event` says what the member was given; `order_id` there is the order
 * that takes the event back from it, empty while there is none.
 */
export const LEAVER_SCHEMA = `
CREATE TABLE IF NOT EXISTS leaver(
  member TEXT PRIMARY KEY, order_id BLOB NOT NULL, since_ms INTEGER NOT NULL, term_ms INTEGER NOT NULL,
  ledger_number INTEGER NOT NULL, read_up_to INTEGER NOT NULL, left_at_ms INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS leaver_event(
  member TEXT NOT NULL, id BLOB NOT NULL, order_id BLOB, PRIMARY KEY(member, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS leaver_event_order ON leaver_event(order_id, member);
`;

export interface Leaver {
  readonly member: MemberId;
  /** the order by which it leaves */
  readonly orderId: OrderId;
  /** when the own node signed that it leaves */
  readonly sinceMs: UnixMs;
  /** how long it has to answer */
  readonly termMs: number;
  /** no key release to it has a higher number in the own ledger */
  readonly ledgerNumber: number;
  readonly readUpTo: number;
  readonly leftAtMs: UnixMs | undefined;
}

function leaverOf(row: Row): Leaver {
  const left = row['left_at_ms'];
  return {
    member: textOf(row, 'member') as MemberId,
    orderId: orderIdIn(row),
    sinceMs: asUnixMs(numberOf(row, 'since_ms')),
    termMs: numberOf(row, 'term_ms'),
    ledgerNumber: numberOf(row, 'ledger_number'),
    readUpTo: numberOf(row, 'read_up_to'),
    leftAtMs: typeof left === 'number' ? asUnixMs(left) : undefined,
  };
}

/** Members that leave or have left, and what each was given; nobody ever comes out of here. */
export class LeaverRows {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  add({ member, orderId, sinceMs, termMs, ledgerNumber }: Omit<Leaver, 'readUpTo' | 'leftAtMs'>) {
    this.#db.run(
      'INSERT INTO leaver VALUES(?, ?, ?, ?, ?, 0, NULL)',
      ...[member, idBytes(orderId), sinceMs, termMs, ledgerNumber],
    );
  }

  find(member: MemberId): Leaver | undefined {
    const row = this.#db.get('SELECT * FROM leaver WHERE member = ?', member);
    return row && leaverOf(row);
  }

  all(): Leaver[] {
    return this.#db.all('SELECT * FROM leaver ORDER BY member').map(leaverOf);
  }

  readUpTo(member: MemberId, ledgerNumber: number): void {
    this.#db.run('UPDATE leaver SET read_up_to = ? WHERE member = ?', ledgerNumber, member);
  }

  left(member: MemberId, atMs: UnixMs): void {
    this.#db.run('UPDATE leaver SET left_at_ms = ? WHERE member = ?', atMs, member);
  }

  /** Events of which it was given keys; those that stand here already stay as they are. */
  addEvents(member: MemberId, ids: readonly EventId[]): void {
    for (const id of ids) {
      const sql = 'INSERT OR IGNORE INTO leaver_event VALUES(?, ?, NULL)';
      this.#db.run(sql, member, idBytes(id));
    }
  }

  /** Events that no order takes back from it yet, in the order of their ids. */
  unordered(member: MemberId, limit: number): EventId[] {
    const sql =
      'SELECT id FROM leaver_event WHERE order_id IS NULL AND member = ? ORDER BY id LIMIT ?';
    return this.#db.all(sql, member, limit).map((row) => eventIdIn(row, 'id'));
  }

  setOrder(member: MemberId, ids: readonly EventId[], order: OrderId): void {
    for (const id of ids) {
      const sql = 'UPDATE leaver_event SET order_id = ? WHERE member = ? AND id = ?';
      this.#db.run(sql, idBytes(order), member, idBytes(id));
    }
  }

  /** This order takes nothing back after all: its events need another one. */
  forgetOrder(order: OrderId): void {
    this.#db.run('UPDATE leaver_event SET order_id = NULL WHERE order_id = ?', idBytes(order));
  }

  /** Does anything that it was given, or was told to delete, lack its final answer? */
  owes(member: MemberId): boolean {
    return this.#hasOrderUnderWay(member) || this.#hasOpenEntry(member);
  }

  /** The newest entries are the likeliest to be open. */
  #hasOpenEntry(member: MemberId): boolean {
    const sql = `SELECT 1 AS one FROM purge_entry WHERE recipient = ? AND NOT EXISTS(
      SELECT 1 FROM receipt WHERE holder = recipient AND entry_number = number) ORDER BY number DESC LIMIT 1`;
    return this.#db.get(sql, member) !== undefined;
  }

  #hasOrderUnderWay(member: MemberId): boolean {
    const sql = `SELECT 1 AS one FROM purge_order WHERE state IN ('ordered', 'sealed') AND EXISTS(
      SELECT 1 FROM leaver_event WHERE leaver_event.order_id = purge_order.order_id AND member = ?) LIMIT 1`;
    return this.#db.get(sql, member) !== undefined;
  }

  counts(member: MemberId): Record<'events' | 'notOrdered' | 'answered', number> {
    const one = (sql: string): number => numberOf(this.#db.get(sql, member) ?? {}, 'n');
    const events = 'SELECT count(*) AS n FROM leaver_event WHERE member = ?1';
    const byOrder = `SELECT order_id, count(*) AS n FROM leaver_event
      WHERE member = ?1 AND order_id IS NOT NULL GROUP BY order_id`;
    return {
      events: one(events),
      notOrdered: one(`${events} AND order_id IS NULL`),
      // an order has one entry for each holder
      answered: one(`SELECT coalesce(sum(n), 0) AS n FROM (${byOrder}) AS given WHERE EXISTS(
        SELECT 1 FROM purge_entry JOIN receipt ON holder = recipient AND entry_number = number
        WHERE purge_entry.order_id = given.order_id AND recipient = ?1)`),
    };
  }
}
