import {
  type EventId,
  type Hash,
  type MemberId,
  type UnixMs,
  idBytes,
} from '@concordat/common/domain/ids.js';
import type { LedgerKind, SlotTable } from '@concordat/common/domain/records.js';
import { type Sqlite, bytesOf, numberOf, textOf } from '@concordat/common/io/store/sqlite.js';
import type { BlockPlace } from './own-publications.js';

export const LEDGER_TABLE_SCHEMA = `
CREATE TABLE IF NOT EXISTS ledger(
  number INTEGER PRIMARY KEY, lane INTEGER NOT NULL, epoch INTEGER NOT NULL, block_number INTEGER NOT NULL,
  chain_number INTEGER NOT NULL, kind TEXT NOT NULL, hash BLOB NOT NULL, record BLOB NOT NULL, seq INTEGER NOT NULL,
  at_ms INTEGER NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS ledger_block ON ledger(lane, epoch, block_number, chain_number);
CREATE TABLE IF NOT EXISTS key_release(
  id BLOB NOT NULL, recipient TEXT NOT NULL, section TEXT NOT NULL, ledger_number INTEGER NOT NULL,
  at_ms INTEGER NOT NULL, PRIMARY KEY(id, recipient, section)) WITHOUT ROWID;
`;

export interface LedgerRow {
  readonly number: number;
  readonly chainNumber: number;
  readonly kind: LedgerKind;
  readonly hash: Hash;
  readonly record: Uint8Array;
  /** its outbox row */
  readonly seq: number;
}

interface KeyReleaseAt {
  readonly ledgerNumber: number;
  readonly atMs: UnixMs;
}

/** The dissemination ledger: every record, and who got which section key by which record. */
export class LedgerTable {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  add(row: LedgerRow, block: BlockPlace, atMs: UnixMs): void {
    this.#db.run(
      'INSERT INTO ledger VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      row.number,
      block.lane,
      block.epoch,
      block.number,
      row.chainNumber,
      row.kind,
      row.hash,
      row.record,
      row.seq,
      atMs,
    );
  }

  record(number: number): { readonly record: Uint8Array; readonly seq: number } | undefined {
    const row = this.#db.get('SELECT record, seq FROM ledger WHERE number = ?', number);
    return row && { record: bytesOf(row, 'record'), seq: numberOf(row, 'seq') };
  }

  count(): number {
    return numberOf(this.#db.get('SELECT count(*) AS n FROM ledger') ?? {}, 'n');
  }

  /** The newest record of a block's own chain. */
  blockChainHead(block: BlockPlace): { readonly number: number; readonly hash: Hash } | undefined {
    const row = this.#db.get(
      `SELECT chain_number, hash FROM ledger WHERE lane = ? AND epoch = ? AND block_number = ?
       ORDER BY chain_number DESC LIMIT 1`,
      block.lane,
      block.epoch,
      block.number,
    );
    return row && { number: numberOf(row, 'chain_number'), hash: bytesOf(row, 'hash') as Hash };
  }

  addKeyReleases(table: SlotTable, ids: ReadonlyMap<number, EventId>, at: KeyReleaseAt): void {
    for (const { leaf, sections } of table.leaves) {
      const id = ids.get(leaf);
      if (id === undefined) throw new TypeError('a released leaf without an id');
      for (const section of sections) {
        this.#db.run(
          'INSERT OR IGNORE INTO key_release VALUES(?, ?, ?, ?, ?)',
          idBytes(id),
          table.recipient,
          section,
          at.ledgerNumber,
          at.atMs,
        );
      }
    }
  }

  /** section to ledger number, of what was recorded for this recipient */
  keyReleases(id: EventId, recipient: MemberId): Map<string, number> {
    const rows = this.#db.all(
      'SELECT section, ledger_number FROM key_release WHERE id = ? AND recipient = ?',
      idBytes(id),
      recipient,
    );
    return new Map(rows.map((row) => [textOf(row, 'section'), numberOf(row, 'ledger_number')]));
  }

  holders(
    id: EventId,
  ): { readonly recipient: MemberId; readonly section: string; readonly atMs: UnixMs }[] {
    return this.#db
      .all(
        'SELECT recipient, section, at_ms FROM key_release WHERE id = ? ORDER BY recipient, section',
        idBytes(id),
      )
      .map((row) => ({
        recipient: textOf(row, 'recipient') as MemberId,
        section: textOf(row, 'section'),
        atMs: numberOf(row, 'at_ms') as UnixMs,
      }));
  }

  releasedCounts(): Record<string, number> {
    const rows = this.#db.all(
      'SELECT recipient, count(DISTINCT id) AS n FROM key_release GROUP BY recipient',
    );
    return Object.fromEntries(rows.map((row) => [textOf(row, 'recipient'), numberOf(row, 'n')]));
  }
}
