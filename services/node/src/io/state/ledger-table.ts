import type { Hash, MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import type { LedgerKind } from '@concordat/common/domain/records.js';
import {
  type Row,
  type Sqlite,
  bytesOf,
  numberOf,
  textOf,
} from '@concordat/common/io/store/sqlite.js';
import type { BlockPlace } from './own-publications.js';

export const LEDGER_TABLE_SCHEMA = `
CREATE TABLE IF NOT EXISTS ledger(
  number INTEGER PRIMARY KEY, lane INTEGER NOT NULL, epoch INTEGER NOT NULL, block_number INTEGER NOT NULL,
  chain_number INTEGER NOT NULL, kind TEXT NOT NULL, hash BLOB NOT NULL, record BLOB NOT NULL, seq INTEGER NOT NULL,
  recipient TEXT NOT NULL, at_ms INTEGER NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS ledger_block ON ledger(lane, epoch, block_number, chain_number);
CREATE TABLE IF NOT EXISTS release_agreement(
  number INTEGER NOT NULL, agreement TEXT NOT NULL, leaves BLOB NOT NULL, PRIMARY KEY(number, agreement)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS released(recipient TEXT PRIMARY KEY, events INTEGER NOT NULL) WITHOUT ROWID;
`;

export interface LedgerRow {
  readonly number: number;
  readonly chainNumber: number;
  readonly kind: LedgerKind;
  /** of a key release; empty for all else */
  readonly recipient: string;
  readonly hash: Hash;
  readonly record: Uint8Array;
  /** its outbox row */
  readonly seq: number;
}

/** One recorded key release. */
export interface ReleaseRow {
  readonly number: number;
  readonly recipient: MemberId;
  readonly record: Uint8Array;
  readonly atMs: UnixMs;
}

/** One publication: a block of own events. */
export interface PublicationRecord extends BlockPlace {
  readonly ledgerNumber: number;
  readonly record: Uint8Array;
  readonly atMs: UnixMs;
}

/** The dissemination ledger: every record; the records of key releases tell who got what. */
export class LedgerTable {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  add(row: LedgerRow, block: BlockPlace, atMs: UnixMs): void {
    this.#db.run(
      'INSERT INTO ledger VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      row.number,
      block.lane,
      block.epoch,
      block.number,
      row.chainNumber,
      row.kind,
      row.hash,
      row.record,
      row.seq,
      row.recipient,
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

  /** The key releases of a block, to one recipient or to all, in the order of their records. */
  releasesOf(block: BlockPlace, recipient?: MemberId): ReleaseRow[] {
    return this.#db
      .all(
        `SELECT number, recipient, record, at_ms FROM ledger
         WHERE lane = ?1 AND epoch = ?2 AND block_number = ?3 AND kind = 'RELEASE' AND (?4 = '' OR recipient = ?4)
         ORDER BY chain_number`,
        block.lane,
        block.epoch,
        block.number,
        recipient ?? '',
      )
      .map((row) => ({
        number: numberOf(row, 'number'),
        recipient: textOf(row, 'recipient') as MemberId,
        record: bytesOf(row, 'record'),
        atMs: numberOf(row, 'at_ms') as UnixMs,
      }));
  }

  /** Publications of a time, in the order of their records; half-open, and `after` is not in it. */
  publications(
    after: number,
    { fromMs, beforeMs }: { readonly fromMs: number; readonly beforeMs: number },
    limit: number,
  ): PublicationRecord[] {
    return this.#db
      .all(
        `SELECT number, lane, epoch, block_number, record, at_ms FROM ledger
         WHERE number > ? AND kind = 'PUBLICATION' AND at_ms >= ? AND at_ms < ? ORDER BY number LIMIT ?`,
        after,
        fromMs,
        beforeMs,
        limit,
      )
      .map(publicationIn);
  }

  publicationOf(block: BlockPlace): PublicationRecord | undefined {
    const row = this.#db.get(
      `SELECT number, lane, epoch, block_number, record, at_ms FROM ledger
       WHERE lane = ? AND epoch = ? AND block_number = ? AND kind = 'PUBLICATION' ORDER BY chain_number LIMIT 1`,
      block.lane,
      block.epoch,
      block.number,
    );
    return row && publicationIn(row);
  }

  /** @param leaves of the record with this number whose keys left under the agreement */
  addAgreement(number: number, agreement: string, leaves: readonly number[]): void {
    const bits = new Uint8Array((Math.max(...leaves) >> 3) + 1);
    for (const leaf of leaves) bits[leaf >> 3] = (bits[leaf >> 3] ?? 0) | (1 << (leaf & 7));
    this.#db.run('INSERT INTO release_agreement VALUES(?, ?, ?)', number, agreement, bits);
  }

  /** Under which agreements the keys of a record's leaves left: agreement to bitmap, least significant bit first. */
  agreementsOf(number: number): ReadonlyMap<string, Uint8Array> {
    const rows = this.#db.all(
      'SELECT agreement, leaves FROM release_agreement WHERE number = ?',
      number,
    );
    return new Map(rows.map((row) => [textOf(row, 'agreement'), bytesOf(row, 'leaves')]));
  }

  /** @param events that had no key release to this recipient before */
  countReleased(recipient: MemberId, events: number): void {
    this.#db.run(
      'INSERT INTO released VALUES(?, ?) ON CONFLICT(recipient) DO UPDATE SET events = events + excluded.events',
      recipient,
      events,
    );
  }

  releasedCounts(): Record<string, number> {
    const rows = this.#db.all('SELECT recipient, events FROM released');
    return Object.fromEntries(
      rows.map((row) => [textOf(row, 'recipient'), numberOf(row, 'events')]),
    );
  }
}

function publicationIn(row: Row): PublicationRecord {
  return {
    ...{ lane: numberOf(row, 'lane'), epoch: numberOf(row, 'epoch') },
    ...{ number: numberOf(row, 'block_number'), ledgerNumber: numberOf(row, 'number') },
    ...{ record: bytesOf(row, 'record'), atMs: numberOf(row, 'at_ms') as UnixMs },
  };
}
