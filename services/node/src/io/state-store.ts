import {
  type EventId,
  type Hash,
  type MemberId,
  type OrderId,
  type UnixMs,
  eventIdOf,
  idBytes,
  orderIdOf,
} from '@concordat/common/domain/ids.js';
import type { LedgerKind, PurgeOutcome, SlotTable } from '@concordat/common/domain/records.js';
import { CHAIN_SCHEMA, ChainTables } from '@concordat/common/io/store/chain-tables.js';
import { Sqlite, bytesOf, numberOf, textOf } from '@concordat/common/io/store/sqlite.js';

const SCHEMA = `${CHAIN_SCHEMA}
CREATE TABLE IF NOT EXISTS own_block(
  lane INTEGER NOT NULL, epoch INTEGER NOT NULL, number INTEGER NOT NULL, hash BLOB NOT NULL,
  tree_size INTEGER NOT NULL, statement BLOB NOT NULL, headers BLOB NOT NULL,
  PRIMARY KEY(lane, epoch, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS own_event(
  id BLOB PRIMARY KEY, lane INTEGER NOT NULL, epoch INTEGER NOT NULL, number INTEGER NOT NULL, leaf INTEGER NOT NULL,
  supersedes BLOB, retain_until_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ledger(
  number INTEGER PRIMARY KEY, lane INTEGER NOT NULL, epoch INTEGER NOT NULL, block_number INTEGER NOT NULL,
  chain_number INTEGER NOT NULL, kind TEXT NOT NULL, hash BLOB NOT NULL, record BLOB NOT NULL, seq INTEGER NOT NULL,
  at_ms INTEGER NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS ledger_block ON ledger(lane, epoch, block_number, chain_number);
CREATE TABLE IF NOT EXISTS key_release(
  id BLOB NOT NULL, recipient TEXT NOT NULL, section TEXT NOT NULL, ledger_number INTEGER NOT NULL,
  at_ms INTEGER NOT NULL, PRIMARY KEY(id, recipient, section)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seal(
  order_id BLOB PRIMARY KEY, order_hash BLOB NOT NULL, seal_record BLOB NOT NULL, evidence BLOB NOT NULL,
  ledger_seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tombstone(
  origin TEXT NOT NULL, id BLOB NOT NULL, order_id BLOB NOT NULL, at_ms INTEGER NOT NULL, ledger_number INTEGER,
  PRIMARY KEY(origin, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS unfinished(
  origin TEXT NOT NULL, id BLOB NOT NULL, PRIMARY KEY(origin, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS purge_entry(
  chain TEXT NOT NULL, epoch INTEGER NOT NULL, number INTEGER NOT NULL, origin TEXT NOT NULL, order_id BLOB NOT NULL,
  hash BLOB NOT NULL, receipt BLOB, PRIMARY KEY(chain, epoch, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS purge_outcome(
  chain TEXT NOT NULL, epoch INTEGER NOT NULL, number INTEGER NOT NULL, position INTEGER NOT NULL, id BLOB NOT NULL,
  outcome TEXT NOT NULL, PRIMARY KEY(chain, epoch, number, position)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS reading(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, origin TEXT NOT NULL, id BLOB NOT NULL,
  purpose TEXT NOT NULL, case_id TEXT NOT NULL, caller TEXT NOT NULL, outcome TEXT NOT NULL);
`;

export interface BlockPlace {
  readonly lane: number;
  readonly epoch: number;
  readonly number: number;
}

export interface OwnEvent extends BlockPlace {
  readonly leaf: number;
  readonly supersedes: EventId | null;
  readonly retainUntilMs: UnixMs;
}

export interface OwnBlock extends BlockPlace {
  readonly hash: Hash;
  readonly treeSize: number;
  readonly statement: Uint8Array;
  /** leaf hashes, 32 bytes each, in order */
  readonly leafHashes: readonly Hash[];
}

export interface LedgerRow {
  readonly number: number;
  readonly chainNumber: number;
  readonly kind: LedgerKind;
  readonly hash: Hash;
  readonly record: Uint8Array;
  /** its outbox row */
  readonly seq: number;
}

export interface PendingEntry {
  readonly chain: string;
  readonly epoch: number;
  readonly number: number;
  readonly origin: MemberId;
  readonly orderId: OrderId;
  readonly hash: Hash;
}

export interface Reading {
  readonly atMs: UnixMs;
  readonly origin: string;
  readonly id: EventId;
  readonly purpose: string;
  readonly caseId: string;
  readonly caller: string;
  readonly outcome: string;
}

/**
 * Who holds what, what is sealed and what is purged: ledger, seals, tombstones, receipts, own heads and outbox.
 * Never in a backup; ids are bytes, and nothing here is content.
 */
export class StateStore {
  readonly db: Sqlite;
  readonly chains: ChainTables;

  constructor(file: string) {
    this.db = new Sqlite(file, SCHEMA);
    this.chains = new ChainTables(this.db);
  }

  addOwnBlock(block: OwnBlock): void {
    this.db.run(
      'INSERT INTO own_block VALUES(?, ?, ?, ?, ?, ?, ?)',
      block.lane,
      block.epoch,
      block.number,
      block.hash,
      block.treeSize,
      block.statement,
      Buffer.concat(block.leafHashes),
    );
  }

  ownBlock({ lane, epoch, number }: BlockPlace): OwnBlock | undefined {
    const row = this.db.get(
      'SELECT * FROM own_block WHERE lane = ? AND epoch = ? AND number = ?',
      lane,
      epoch,
      number,
    );
    if (!row) return undefined;
    const joined = bytesOf(row, 'headers');
    const leafHashes: Hash[] = [];
    for (let at = 0; at < joined.length; at += 32) {
      leafHashes.push(joined.slice(at, at + 32) as Hash);
    }
    return {
      lane,
      epoch,
      number,
      hash: bytesOf(row, 'hash') as Hash,
      treeSize: numberOf(row, 'tree_size'),
      statement: bytesOf(row, 'statement'),
      leafHashes,
    };
  }

  addOwnEvent(id: EventId, event: OwnEvent): void {
    this.db.run(
      'INSERT INTO own_event VALUES(?, ?, ?, ?, ?, ?, ?)',
      idBytes(id),
      event.lane,
      event.epoch,
      event.number,
      event.leaf,
      event.supersedes === null ? null : idBytes(event.supersedes),
      event.retainUntilMs,
    );
  }

  ownEvent(id: EventId): OwnEvent | undefined {
    const row = this.db.get('SELECT * FROM own_event WHERE id = ?', idBytes(id));
    if (!row) return undefined;
    const supersedes = row['supersedes'];
    return {
      lane: numberOf(row, 'lane'),
      epoch: numberOf(row, 'epoch'),
      number: numberOf(row, 'number'),
      leaf: numberOf(row, 'leaf'),
      supersedes: supersedes instanceof Uint8Array ? anEventId(supersedes) : null,
      retainUntilMs: numberOf(row, 'retain_until_ms') as UnixMs,
    };
  }

  countOwnEvents(): number {
    return numberOf(this.db.get('SELECT count(*) AS n FROM own_event') ?? {}, 'n');
  }

  addLedger(row: LedgerRow, block: BlockPlace, atMs: UnixMs): void {
    this.db.run(
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

  ledgerRecord(number: number): { readonly record: Uint8Array; readonly seq: number } | undefined {
    const row = this.db.get('SELECT record, seq FROM ledger WHERE number = ?', number);
    return row && { record: bytesOf(row, 'record'), seq: numberOf(row, 'seq') };
  }

  countLedger(): number {
    return numberOf(this.db.get('SELECT count(*) AS n FROM ledger') ?? {}, 'n');
  }

  /** The newest record of a block's own chain. */
  blockChainHead(block: BlockPlace): { readonly number: number; readonly hash: Hash } | undefined {
    const row = this.db.get(
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
        this.db.run(
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
    const rows = this.db.all(
      'SELECT section, ledger_number FROM key_release WHERE id = ? AND recipient = ?',
      idBytes(id),
      recipient,
    );
    return new Map(rows.map((row) => [textOf(row, 'section'), numberOf(row, 'ledger_number')]));
  }

  holders(
    id: EventId,
  ): { readonly recipient: MemberId; readonly section: string; readonly atMs: UnixMs }[] {
    return this.db
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
    const rows = this.db.all(
      'SELECT recipient, count(DISTINCT id) AS n FROM key_release GROUP BY recipient',
    );
    return Object.fromEntries(rows.map((row) => [textOf(row, 'recipient'), numberOf(row, 'n')]));
  }

  addSeal(orderId: OrderId, seal: StoredSeal): void {
    this.db.run(
      'INSERT INTO seal VALUES(?, ?, ?, ?, ?)',
      idBytes(orderId),
      seal.orderHash,
      seal.sealRecord,
      seal.evidence,
      seal.ledgerSeq,
    );
  }

  seal(orderId: OrderId): StoredSeal | undefined {
    const row = this.db.get('SELECT * FROM seal WHERE order_id = ?', idBytes(orderId));
    return (
      row && {
        orderHash: bytesOf(row, 'order_hash') as Hash,
        sealRecord: bytesOf(row, 'seal_record'),
        evidence: bytesOf(row, 'evidence'),
        ledgerSeq: numberOf(row, 'ledger_seq'),
      }
    );
  }

  /** Remembers for ever that these are purged; what they hold is deleted next, also after a crash. */
  bury(
    events: readonly { readonly origin: MemberId; readonly id: EventId }[],
    by: { readonly orderId: OrderId; readonly atMs: UnixMs; readonly ledgerNumber?: number },
  ): void {
    for (const { origin, id } of events) {
      this.db.run(
        'INSERT OR IGNORE INTO tombstone VALUES(?, ?, ?, ?, ?)',
        origin,
        idBytes(id),
        idBytes(by.orderId),
        by.atMs,
        by.ledgerNumber ?? null,
      );
      this.db.run('INSERT OR IGNORE INTO unfinished VALUES(?, ?)', origin, idBytes(id));
    }
  }

  isBuried(origin: MemberId, id: EventId): boolean {
    const row = this.db.get(
      'SELECT 1 AS one FROM tombstone WHERE origin = ? AND id = ?',
      origin,
      idBytes(id),
    );
    return row !== undefined;
  }

  /** Own events: the ledger number of the seal that took the event. */
  sealNumber(origin: MemberId, id: EventId): number | undefined {
    const row = this.db.get(
      'SELECT ledger_number FROM tombstone WHERE origin = ? AND id = ?',
      origin,
      idBytes(id),
    );
    const number = row?.['ledger_number'];
    return typeof number === 'number' ? number : undefined;
  }

  unfinished(limit: number): { readonly origin: MemberId; readonly id: EventId }[] {
    return this.db.all('SELECT origin, id FROM unfinished LIMIT ?', limit).map((row) => ({
      origin: textOf(row, 'origin') as MemberId,
      id: anEventId(bytesOf(row, 'id')),
    }));
  }

  finish(events: readonly { readonly origin: MemberId; readonly id: EventId }[]): void {
    for (const { origin, id } of events) {
      this.db.run('DELETE FROM unfinished WHERE origin = ? AND id = ?', origin, idBytes(id));
    }
  }

  tombstones(): { readonly origin: string; readonly id: Uint8Array }[] {
    return this.db
      .all('SELECT origin, id FROM tombstone ORDER BY origin, id')
      .map((row) => ({ origin: textOf(row, 'origin'), id: bytesOf(row, 'id') }));
  }

  countTombstones(): Record<string, number> {
    const rows = this.db.all('SELECT origin, count(*) AS n FROM tombstone GROUP BY origin');
    return Object.fromEntries(rows.map((row) => [textOf(row, 'origin'), numberOf(row, 'n')]));
  }

  addPurgeEntry(
    entry: PendingEntry,
    outcomes: readonly { readonly id: EventId; readonly outcome: PurgeOutcome }[],
  ): boolean {
    const added = this.db.run(
      'INSERT OR IGNORE INTO purge_entry VALUES(?, ?, ?, ?, ?, ?, NULL)',
      entry.chain,
      entry.epoch,
      entry.number,
      entry.origin,
      idBytes(entry.orderId),
      entry.hash,
    );
    if (added === 0) return false;
    for (const [position, { id, outcome }] of outcomes.entries()) {
      this.db.run(
        'INSERT INTO purge_outcome VALUES(?, ?, ?, ?, ?, ?)',
        entry.chain,
        entry.epoch,
        entry.number,
        position,
        idBytes(id),
        outcome,
      );
    }
    return true;
  }

  /** Entries whose receipt is not written yet, in order. */
  pendingEntries(limit: number): PendingEntry[] {
    return this.db
      .all(
        'SELECT * FROM purge_entry WHERE receipt IS NULL ORDER BY chain, epoch, number LIMIT ?',
        limit,
      )
      .map((row) => ({
        chain: textOf(row, 'chain'),
        epoch: numberOf(row, 'epoch'),
        number: numberOf(row, 'number'),
        origin: textOf(row, 'origin') as MemberId,
        orderId: orderIdText(bytesOf(row, 'order_id')),
        hash: bytesOf(row, 'hash') as Hash,
      }));
  }

  outcomes(entry: PendingEntry): { readonly id: EventId; readonly outcome: PurgeOutcome }[] {
    return this.db
      .all(
        'SELECT id, outcome FROM purge_outcome WHERE chain = ? AND epoch = ? AND number = ? ORDER BY position',
        entry.chain,
        entry.epoch,
        entry.number,
      )
      .map((row) => ({
        id: anEventId(bytesOf(row, 'id')),
        outcome: textOf(row, 'outcome') as PurgeOutcome,
      }));
  }

  setReceipt(entry: PendingEntry, receipt: Uint8Array): void {
    this.db.run(
      'UPDATE purge_entry SET receipt = ? WHERE chain = ? AND epoch = ? AND number = ? AND receipt IS NULL',
      receipt,
      entry.chain,
      entry.epoch,
      entry.number,
    );
  }

  receipts(): Uint8Array[] {
    return this.db
      .all(
        'SELECT receipt FROM purge_entry WHERE receipt IS NOT NULL ORDER BY chain, epoch, number',
      )
      .map((row) => bytesOf(row, 'receipt'));
  }

  countReceipts(): number {
    const row = this.db.get('SELECT count(*) AS n FROM purge_entry WHERE receipt IS NOT NULL');
    return numberOf(row ?? {}, 'n');
  }

  logReading(reading: Reading): void {
    this.db.run(
      'INSERT INTO reading(at_ms, origin, id, purpose, case_id, caller, outcome) VALUES(?, ?, ?, ?, ?, ?, ?)',
      reading.atMs,
      reading.origin,
      idBytes(reading.id),
      reading.purpose,
      reading.caseId,
      reading.caller,
      reading.outcome,
    );
  }

  readings(limit: number): Reading[] {
    return this.db.all('SELECT * FROM reading ORDER BY seq DESC LIMIT ?', limit).map((row) => ({
      atMs: numberOf(row, 'at_ms') as UnixMs,
      origin: textOf(row, 'origin'),
      id: anEventId(bytesOf(row, 'id')),
      purpose: textOf(row, 'purpose'),
      caseId: textOf(row, 'case_id'),
      caller: textOf(row, 'caller'),
      outcome: textOf(row, 'outcome'),
    }));
  }

  close(): void {
    this.db.close();
  }
}

interface KeyReleaseAt {
  readonly ledgerNumber: number;
  readonly atMs: UnixMs;
}

export interface StoredSeal {
  readonly orderHash: Hash;
  readonly sealRecord: Uint8Array;
  readonly evidence: Uint8Array;
  /** outbox row of the last ledger record that belongs to it */
  readonly ledgerSeq: number;
}

function anEventId(bytes: Uint8Array): EventId {
  const id = eventIdOf(bytes);
  if (!id.ok) throw new TypeError('an id in the state store is not a UUIDv7');
  return id.value;
}

function orderIdText(bytes: Uint8Array): OrderId {
  const id = orderIdOf(bytes);
  if (!id.ok) throw new TypeError('an order id in the state store is not 16 bytes');
  return id.value;
}
