import {
  type Hash,
  type MemberId,
  type OrderId,
  type UnixMs,
  asUnixMs,
  idBytes,
} from '@concordat/common/domain/ids.js';
import {
  type Row,
  type Sqlite,
  bytesOf,
  numberOf,
  textOf,
} from '@concordat/common/io/store/sqlite.js';
import type { Term } from '../domain/silence.js';

export interface StoredEntry extends Term {
  readonly recipient: MemberId;
  readonly number: number;
  readonly part: number;
  readonly bytes: Uint8Array;
  readonly hash: Hash;
}

/** How often a holder was told of an entry, and what was signed about its silence. */
export interface KnownEntry extends StoredEntry {
  /** undefined: answered */
  readonly nextLookMs: UnixMs | undefined;
  /** 0: never */
  readonly remindedAtMs: number;
  readonly notice: Uint8Array | undefined;
  /** 0: none was made */
  readonly noticedAtMs: number;
}

function entryOf(row: Row): KnownEntry {
  const next = row['next_look_ms'];
  return {
    recipient: textOf(row, 'recipient') as MemberId,
    number: numberOf(row, 'number'),
    part: numberOf(row, 'part'),
    bytes: bytesOf(row, 'bytes'),
    hash: bytesOf(row, 'hash') as Hash,
    appendedAtMs: asUnixMs(numberOf(row, 'appended_at_ms')),
    deadlineMs: asUnixMs(numberOf(row, 'deadline_ms')),
    nextLookMs: typeof next === 'number' ? asUnixMs(next) : undefined,
    remindedAtMs: numberOf(row, 'reminded_at_ms'),
    notice: row['notice'] === null ? undefined : bytesOf(row, 'notice'),
    noticedAtMs: numberOf(row, 'noticed_at_ms'),
  };
}

/** Our purge entries, by recipient and number, and how each stands with its holder. */
export class EntryRows {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  add(order: OrderId, entry: StoredEntry, firstLookMs: UnixMs): void {
    this.#db.run(
      'INSERT INTO purge_entry VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, 0, NULL, 0)',
      entry.recipient,
      entry.number,
      idBytes(order),
      entry.part,
      entry.bytes,
      entry.hash,
      entry.appendedAtMs,
      entry.deadlineMs,
      firstLookMs,
    );
  }

  find(recipient: MemberId, number: number): KnownEntry | undefined {
    const row = this.#db.get(
      'SELECT * FROM purge_entry WHERE recipient = ? AND number = ?',
      recipient,
      number,
    );
    return row && entryOf(row);
  }

  /** Entries to a recipient from a number on, without a gap; at least one if it is there, however large. */
  consecutive(
    recipient: MemberId,
    from: number,
    most: { readonly rows: number; readonly bytes: number },
  ): Uint8Array[] {
    const where = 'FROM purge_entry WHERE recipient = ? AND number >= ? ORDER BY number LIMIT ?';
    const sizes = this.#db.all(
      `SELECT number, length(bytes) AS size ${where}`,
      ...[recipient, from, most.rows],
    );
    let bytes = 0;
    const end = sizes.findIndex((row, i) => {
      bytes += numberOf(row, 'size');
      return numberOf(row, 'number') !== from + i || (i > 0 && bytes > most.bytes);
    });
    return this.#db
      .all(`SELECT bytes ${where}`, ...[recipient, from, end === -1 ? sizes.length : end])
      .map((row) => bytesOf(row, 'bytes'));
  }

  /** The lowest number of an entry to a recipient; 0: there is none. */
  firstNumber(recipient: MemberId): number {
    const sql = 'SELECT coalesce(min(number), 0) AS n FROM purge_entry WHERE recipient = ?';
    return numberOf(this.#db.get(sql, recipient) ?? {}, 'n');
  }

  /** By recipient, then part. */
  of(order: OrderId): KnownEntry[] {
    return this.#db
      .all('SELECT * FROM purge_entry WHERE order_id = ? ORDER BY recipient, part', idBytes(order))
      .map(entryOf);
  }

  /** Without a final answer, the longest waiting first. */
  open(recipient: MemberId): KnownEntry[] {
    const sql = `SELECT * FROM purge_entry WHERE recipient = ? AND NOT EXISTS(
      SELECT 1 FROM receipt WHERE holder = recipient AND entry_number = number) ORDER BY number`;
    return this.#db.all(sql, recipient).map(entryOf);
  }

  /** Its silence is over: nobody looks at it any more. */
  answered(recipient: MemberId, number: number): void {
    this.#db.run(
      'UPDATE purge_entry SET next_look_ms = NULL WHERE recipient = ? AND number = ?',
      recipient,
      number,
    );
  }

  /** Unanswered entries of a holder that are to be looked at by now, the longest waiting first. */
  toLookAt(recipient: MemberId, nowMs: UnixMs, limit: number): KnownEntry[] {
    return this.#db
      .all(
        `SELECT * FROM purge_entry WHERE recipient = ? AND next_look_ms <= ?
         ORDER BY next_look_ms, number LIMIT ?`,
        recipient,
        nowMs,
        limit,
      )
      .map(entryOf);
  }

  /** Unanswered entries of a holder before this one; counts up to `limit`. */
  countOpenBefore(recipient: MemberId, number: number, limit: number): number {
    const row = this.#db.get(
      `SELECT count(*) AS n FROM (SELECT 1 FROM purge_entry
         WHERE recipient = ? AND number < ? AND next_look_ms IS NOT NULL ORDER BY number LIMIT ?)`,
      recipient,
      number,
      limit,
    );
    return numberOf(row ?? {}, 'n');
  }

  looked(
    { recipient, number }: Pick<StoredEntry, 'recipient' | 'number'>,
    next: {
      readonly nextLookMs: UnixMs;
      readonly remindedAtMs: number;
      readonly notice: Uint8Array | undefined;
      readonly noticedAtMs: number;
    },
  ): void {
    this.#db.run(
      `UPDATE purge_entry SET next_look_ms = ?, reminded_at_ms = ?, notice = ?, noticed_at_ms = ?
         WHERE recipient = ? AND number = ?`,
      next.nextLookMs,
      next.remindedAtMs,
      next.notice ?? null,
      next.noticedAtMs,
      recipient,
      number,
    );
  }
}
