import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { CHAIN_SCHEMA, ChainTables } from '@concordat/common/io/store/chain-tables.js';
import { ORDERED_ALONE_SCHEMA, OrderedAlone } from '@concordat/common/io/store/ordered-alone.js';
import { Sqlite } from '@concordat/common/io/store/sqlite.js';
import { CHILD_SCHEMA, ChildRows } from './child-rows.js';
import { EntryRows } from './entry-rows.js';
import { LEAVER_SCHEMA, LeaverRows } from './leaver-rows.js';
import { LedgerRows } from './ledger-rows.js';
import { OrderRows } from './order-rows.js';
import { MEDIA_SCHEMA, MediaRows } from './media-rows.js';
import { RECEIPT_SCHEMA, ReceiptRows } from './receipt-rows.js';
import { SCOPE_SCHEMA, ScopeRows } from './scope-rows.js';

/**
 * Ids are 16-byte blobs. `ordered_by` is the order that takes the event back; what it names is never ordered twice.
 * `next_look_ms` of an entry is when its holder's silence is looked at next; empty once it has answered.
 */
const SCHEMA = `BEGIN;
${CHAIN_SCHEMA}
CREATE TABLE IF NOT EXISTS publication(
  id BLOB PRIMARY KEY, block BLOB NOT NULL, leaf INTEGER NOT NULL, category TEXT NOT NULL,
  retain_until BLOB NOT NULL, supersedes BLOB, superseded_by BLOB, superseded_at_ms INTEGER,
  ordered_by BLOB) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS publication_supersedes ON publication(supersedes) WHERE supersedes IS NOT NULL;
CREATE INDEX IF NOT EXISTS publication_superseded ON publication(superseded_by)
  WHERE superseded_by IS NOT NULL AND ordered_by IS NULL;
CREATE INDEX IF NOT EXISTS publication_due ON publication(retain_until) WHERE ordered_by IS NULL;
CREATE INDEX IF NOT EXISTS publication_ordered ON publication(ordered_by) WHERE ordered_by IS NOT NULL;
CREATE TABLE IF NOT EXISTS ledger_record(
  number INTEGER PRIMARY KEY, block BLOB NOT NULL, block_number INTEGER NOT NULL, bytes BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS ledger_record_block ON ledger_record(block, number);
CREATE TABLE IF NOT EXISTS purge_order(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, order_id BLOB NOT NULL UNIQUE, bytes BLOB NOT NULL,
  state TEXT NOT NULL, open_entries INTEGER NOT NULL, reason TEXT NOT NULL,
  ordered_at_ms INTEGER NOT NULL, deadline_ms INTEGER NOT NULL,
  seal_record BLOB, evidence BLOB, seal_number INTEGER, sealed_at_ms INTEGER, closed_at_ms INTEGER,
  last_error TEXT NOT NULL, attempts INTEGER NOT NULL, rest_until REAL NOT NULL);
CREATE INDEX IF NOT EXISTS purge_order_state ON purge_order(state, rest_until, seq);
CREATE TABLE IF NOT EXISTS approval(
  order_id BLOB NOT NULL, person TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY(order_id, person)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS purge_entry(
  recipient TEXT NOT NULL, number INTEGER NOT NULL, order_id BLOB NOT NULL, part INTEGER NOT NULL,
  bytes BLOB NOT NULL, hash BLOB NOT NULL, appended_at_ms INTEGER NOT NULL, deadline_ms INTEGER NOT NULL,
  next_look_ms INTEGER, reminded_at_ms INTEGER NOT NULL, notice BLOB, noticed_at_ms INTEGER NOT NULL,
  PRIMARY KEY(recipient, number));
CREATE INDEX IF NOT EXISTS purge_entry_open ON purge_entry(recipient, number) WHERE next_look_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS purge_entry_look ON purge_entry(recipient, next_look_ms) WHERE next_look_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS purge_entry_order ON purge_entry(order_id, recipient, part);
${ORDERED_ALONE_SCHEMA}
${RECEIPT_SCHEMA}
${LEAVER_SCHEMA}
${MEDIA_SCHEMA}
${SCOPE_SCHEMA}
${CHILD_SCHEMA}
CREATE TABLE IF NOT EXISTS certificate(order_id BLOB PRIMARY KEY, dsse_json TEXT NOT NULL) WITHOUT ROWID;
COMMIT;
`;

/** Everything that the revocation service remembers: one file, so that a decision and its bytes commit together. */
export class RevocationStore {
  readonly db: Sqlite;
  readonly alone: OrderedAlone;
  readonly chains: ChainTables;
  readonly children: ChildRows;
  readonly entries: EntryRows;
  readonly leavers: LeaverRows;
  readonly ledger: LedgerRows;
  readonly media: MediaRows;
  readonly orders: OrderRows;
  readonly receipts: ReceiptRows;
  readonly scope: ScopeRows;

  constructor(dataDir: string) {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    this.db = new Sqlite(join(dataDir, 'revocation.db'), SCHEMA);
    this.alone = new OrderedAlone(this.db);
    this.chains = new ChainTables(this.db);
    this.children = new ChildRows(this.db);
    this.entries = new EntryRows(this.db);
    this.leavers = new LeaverRows(this.db);
    this.ledger = new LedgerRows(this.db);
    this.media = new MediaRows(this.db);
    this.orders = new OrderRows(this.db);
    this.receipts = new ReceiptRows(this.db);
    this.scope = new ScopeRows(this.db);
  }

  close(): void {
    this.db.close();
  }
}
