import {
  type EventId,
  type MemberId,
  type OrderId,
  idBytes,
} from '@concordat/common/domain/ids.js';
import type { Cover } from '@concordat/common/domain/purge-order.js';
import { idAt, lookUp, packIds, pieces } from '@concordat/common/io/store/packed.js';
import { type Sqlite, numberOf, textOf } from '@concordat/common/io/store/sqlite.js';

/** `recipient` is empty for all of them, `sections` for whole events. */
export const BLOCKED_COVERS_SCHEMA = `
CREATE TABLE IF NOT EXISTS blocked_cover(
  id BLOB NOT NULL, order_id BLOB NOT NULL, recipient TEXT NOT NULL, sections TEXT NOT NULL,
  ledger_number INTEGER NOT NULL, PRIMARY KEY(id, order_id, recipient)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS blocked_cover_order ON blocked_cover(order_id, ledger_number);
`;

/** What one seal takes of an own event without destroying its keys. */
export interface BlockedCover extends Cover {
  /** of the seal that says so */
  readonly ledgerNumber: number;
}

/** Names of sections hold no blanks. */
const BETWEEN = ' ';

/** Narrower covers of own events, blocked for ever: no key of them leaves any more, while all others are given out. */
export class BlockedCovers {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  /** Once more changes nothing. */
  block(
    ids: readonly EventId[],
    by: {
      readonly orderId: OrderId;
      /** '' for all of them */
      readonly recipient: MemberId | '';
      /** empty: whole events */
      readonly sections: readonly string[];
      readonly ledgerNumber: number;
    },
  ): void {
    for (const part of pieces(ids)) {
      this.#db.run(
        `INSERT OR IGNORE INTO blocked_cover
         SELECT ${idAt(1)}, ?3, ?4, ?5, ?6 FROM nth WHERE nth.i < ?2`,
        packIds(part),
        part.length,
        idBytes(by.orderId),
        by.recipient,
        by.sections.join(BETWEEN),
        by.ledgerNumber,
      );
    }
  }

  /** What is blocked of these events for this recipient, the oldest seal first. */
  among(ids: readonly EventId[], recipient: MemberId): Map<EventId, BlockedCover[]> {
    const sql = `SELECT nth.i, recipient, sections, ledger_number
      FROM nth CROSS JOIN blocked_cover ON id = ${idAt(1)} AND recipient IN ('', ?2)
      WHERE nth.i < ?3 ORDER BY nth.i, ledger_number`;
    const found = new Map<EventId, BlockedCover[]>();
    const rows = lookUp(ids, (packed, count) => this.#db.all(sql, packed, recipient, count));
    for (const { id, row } of rows) {
      const named = textOf(row, 'recipient');
      const sections = textOf(row, 'sections');
      const covers = found.get(id) ?? [];
      found.set(id, covers);
      covers.push({
        recipients: named === '' ? [] : [recipient],
        sections: sections === '' ? [] : sections.split(BETWEEN),
        ledgerNumber: numberOf(row, 'ledger_number'),
      });
    }
    return found;
  }

  /** Ledger numbers of an order's seals, ascending. */
  sealNumbers(orderId: OrderId): number[] {
    return this.#db
      .all(
        'SELECT DISTINCT ledger_number FROM blocked_cover WHERE order_id = ? ORDER BY ledger_number',
        idBytes(orderId),
      )
      .map((row) => numberOf(row, 'ledger_number'));
  }
}
