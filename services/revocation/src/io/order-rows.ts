import {
  type MonotonicMs,
  type OrderId,
  type UnixMs,
  asUnixMs,
  idBytes,
} from '@concordat/common/domain/ids.js';
import { isLeave } from '@concordat/common/domain/purge-order.js';
import type { PurgeOrder, PurgeReason } from '@concordat/common/domain/records.js';
import {
  type Row,
  type Sqlite,
  bytesOf,
  numberOf,
  textOf,
} from '@concordat/common/io/store/sqlite.js';
import {
  type OrderEvent,
  type OrderLife,
  type OrderState,
  isOver,
  step,
} from '../domain/order-life.js';
import { answerBy } from '../domain/rule-orders.js';
import type { SealAnswer } from '../domain/seal-answer.js';
import { orderIdIn } from './stored-ids.js';

export interface StoredOrder {
  readonly orderId: OrderId;
  readonly bytes: Uint8Array;
  readonly life: OrderLife;
  readonly reason: string;
  readonly orderedAtMs: UnixMs;
  readonly deadlineMs: UnixMs;
  readonly closedAtMs: UnixMs | undefined;
  readonly lastError: string;
  readonly attempts: number;
}

const STATES = [
  'awaiting',
  'ordered',
  'leave_ordered',
  'leaving',
  'sealed',
  'appended',
  'closed',
  'refused',
] as const satisfies readonly OrderState[];

function lifeOf(row: Row): OrderLife {
  const kind = STATES.find((state) => state === textOf(row, 'state'));
  if (kind === undefined) throw new TypeError('column state: expected an order state');
  return kind === 'appended' ? { kind, openEntries: numberOf(row, 'open_entries') } : { kind };
}

function stored(row: Row): StoredOrder {
  const closedAtMs = row['closed_at_ms'];
  return {
    orderId: orderIdIn(row),
    bytes: bytesOf(row, 'bytes'),
    life: lifeOf(row),
    reason: textOf(row, 'reason'),
    orderedAtMs: asUnixMs(numberOf(row, 'ordered_at_ms')),
    deadlineMs: asUnixMs(numberOf(row, 'deadline_ms')),
    closedAtMs: typeof closedAtMs === 'number' ? asUnixMs(closedAtMs) : undefined,
    lastError: textOf(row, 'last_error'),
    attempts: numberOf(row, 'attempts'),
  };
}

const OPEN = `('awaiting', 'ordered', 'leave_ordered', 'leaving', 'sealed', 'appended')`;
const COLUMNS =
  'order_id, bytes, state, open_entries, reason, ordered_at_ms, deadline_ms, closed_at_ms, last_error, attempts';

/** Orders with their life cycle and their certificates. */
export class OrderRows {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  add(order: PurgeOrder, bytes: Uint8Array, nowMs: UnixMs): void {
    this.#db.run(
      `INSERT INTO purge_order(order_id, bytes, state, open_entries, reason, ordered_at_ms, deadline_ms,
         last_error, attempts, rest_until) VALUES(?, ?, ?, 0, ?, ?, ?, '', 0, 0)`,
      idBytes(order.orderId),
      bytes,
      (isLeave(order) ? 'leave_ordered' : 'ordered') satisfies OrderState,
      order.reason,
      nowMs,
      answerBy(order, nowMs),
    );
  }

  find(id: OrderId): StoredOrder | undefined {
    const row = this.#db.get(`SELECT ${COLUMNS} FROM purge_order WHERE order_id = ?`, idBytes(id));
    return row && stored(row);
  }

  /** Open orders first, the newest first among equals. */
  newest(limit: number): StoredOrder[] {
    return this.#db
      .all(
        `SELECT ${COLUMNS} FROM purge_order ORDER BY state NOT IN ${OPEN}, seq DESC LIMIT ?`,
        limit,
      )
      .map(stored);
  }

  /** Moves the order through its table; `undefined` when the event changes nothing. */
  advance(id: OrderId, event: OrderEvent): OrderLife | undefined {
    const before = this.find(id)?.life;
    if (!before) throw new TypeError('expected an order of ours');
    const after = step(before, event);
    if (after === before) return undefined;
    this.#db.run(
      `UPDATE purge_order SET state = ?, open_entries = ?, last_error = '', attempts = 0, rest_until = 0
         WHERE order_id = ?`,
      after.kind,
      after.kind === 'appended' ? after.openEntries : 0,
      idBytes(id),
    );
    return after;
  }

  /** Until when the entries say that holders have to answer. */
  setDeadline(id: OrderId, deadlineMs: UnixMs): void {
    this.#db.run(
      'UPDATE purge_order SET deadline_ms = ? WHERE order_id = ?',
      deadlineMs,
      idBytes(id),
    );
  }

  keepSeal(id: OrderId, answer: SealAnswer, sealNumber: number, nowMs: UnixMs): void {
    this.#db.run(
      'UPDATE purge_order SET seal_record = ?, evidence = ?, seal_number = ?, sealed_at_ms = ? WHERE order_id = ?',
      answer.sealRecord,
      answer.evidence,
      sealNumber,
      nowMs,
      idBytes(id),
    );
  }

  sealOf(id: OrderId): SealAnswer {
    const row = this.#db.get(
      'SELECT seal_record, evidence FROM purge_order WHERE order_id = ?',
      idBytes(id),
    );
    if (!row) throw new TypeError('expected a sealed order');
    return { sealRecord: bytesOf(row, 'seal_record'), evidence: bytesOf(row, 'evidence') };
  }

  keepCertificate(id: OrderId, dsseJson: string, nowMs: UnixMs): void {
    this.#db.run('INSERT INTO certificate VALUES(?, ?)', idBytes(id), dsseJson);
    this.closedAt(id, nowMs);
  }

  closedAt(id: OrderId, nowMs: UnixMs): void {
    this.#db.run('UPDATE purge_order SET closed_at_ms = ? WHERE order_id = ?', nowMs, idBytes(id));
  }

  certificate(id: OrderId): string | undefined {
    const row = this.#db.get('SELECT dsse_json FROM certificate WHERE order_id = ?', idBytes(id));
    return row && textOf(row, 'dsse_json');
  }

  /** One for each person; the first one stays. */
  addApproval(id: OrderId, person: string, bytes: Uint8Array): void {
    this.#db.run('INSERT OR IGNORE INTO approval VALUES(?, ?, ?)', idBytes(id), person, bytes);
  }

  approversOf(id: OrderId): string[] {
    return this.#db
      .all('SELECT person FROM approval WHERE order_id = ?', idBytes(id))
      .map((row) => textOf(row, 'person'));
  }

  approvalsOf(id: OrderId): Uint8Array[] {
    return this.#db
      .all('SELECT bytes FROM approval WHERE order_id = ? ORDER BY person', idBytes(id))
      .map((row) => bytesOf(row, 'bytes'));
  }

  /** What kept the order from going on, and until when it rests. */
  rest(id: OrderId, error: string, until: number): void {
    this.#db.run(
      'UPDATE purge_order SET last_error = ?, attempts = attempts + 1, rest_until = ? WHERE order_id = ?',
      error,
      until,
      idBytes(id),
    );
  }

  /** Every open order may go on at once: the monotonic clock of an earlier process means nothing. */
  wakeAll(): void {
    this.#db.run(
      `UPDATE purge_order SET rest_until = 0, attempts = 0 WHERE state IN ${OPEN} AND rest_until > 0`,
    );
  }

  isResting(id: OrderId, now: MonotonicMs): boolean {
    const sql = 'SELECT rest_until FROM purge_order WHERE order_id = ?';
    return numberOf(this.#db.get(sql, idBytes(id)) ?? {}, 'rest_until') > now;
  }

  wake(id: OrderId): void {
    this.#db.run('UPDATE purge_order SET rest_until = 0 WHERE order_id = ?', idBytes(id));
  }

  /** Orders in `state` that rest no longer, the longest waiting first. */
  ready(state: 'ordered' | 'leave_ordered' | 'sealed', now: MonotonicMs, limit: number): OrderId[] {
    return this.#db
      .all(
        'SELECT order_id FROM purge_order WHERE state = ? AND rest_until <= ? ORDER BY rest_until, seq LIMIT ?',
        state,
        now,
        limit,
      )
      .map((row) => orderIdIn(row));
  }

  /** Orders by which members shall leave that no node has signed yet, and others that wait for a second person. */
  notYet(): StoredOrder[] {
    const sql = `SELECT ${COLUMNS} FROM purge_order WHERE state IN ('awaiting', 'leave_ordered') ORDER BY seq`;
    return this.#db.all(sql).map(stored);
  }

  /** Answered by everybody, with the certificates that the answers name, and the ledger is read up to their seals. */
  readyToClose(ledgerNumber: number, now: MonotonicMs, limit: number): OrderId[] {
    return this.#db
      .all(
        `SELECT order_id FROM purge_order WHERE state = 'appended' AND open_entries = 0
           AND seal_number <= ? AND rest_until <= ? AND NOT EXISTS (
             SELECT 1 FROM child_certificate WHERE parent_order = purge_order.order_id AND bytes IS NULL)
         ORDER BY rest_until, seq LIMIT ?`,
        ledgerNumber,
        now,
        limit,
      )
      .map((row) => orderIdIn(row));
  }

  /** Is there an order for this reason that its node has not sealed and may seal still? */
  areUnsealed(reason: PurgeReason): boolean {
    const sql =
      "SELECT 1 FROM purge_order WHERE state IN ('awaiting', 'ordered') AND reason = ? LIMIT 1";
    return this.#db.get(sql, reason) !== undefined;
  }

  /** When the first resting order may go on. */
  nextWake(now: MonotonicMs): number | undefined {
    const row = this.#db.get(
      `SELECT min(rest_until) AS at FROM purge_order WHERE state IN ${OPEN} AND rest_until > ?`,
      now,
    );
    const at = row?.['at'];
    return typeof at === 'number' ? at : undefined;
  }

  counts(nowMs: UnixMs): Record<string, number> {
    const counts: Record<string, number> = { 'orders.overdue': 0 };
    for (const state of STATES) counts[`orders.${state}`] = 0;
    const rows = this.#db.all(
      'SELECT state, count(*) AS n, sum(deadline_ms < ?) AS late FROM purge_order GROUP BY state',
      nowMs,
    );
    for (const row of rows) {
      const state = textOf(row, 'state');
      counts[`orders.${state}`] = numberOf(row, 'n');
      if (STATES.some((one) => one === state && !isOver(one))) {
        counts['orders.overdue'] = (counts['orders.overdue'] ?? 0) + numberOf(row, 'late');
      }
    }
    return counts;
  }
}
