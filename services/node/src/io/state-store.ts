import { CHAIN_SCHEMA, ChainTables } from '@concordat/common/io/store/chain-tables.js';
import { ORDERED_ALONE_SCHEMA, OrderedAlone } from '@concordat/common/io/store/ordered-alone.js';
import { Sqlite } from '@concordat/common/io/store/sqlite.js';
import { AGREEMENT_VERSIONS_SCHEMA, AgreementVersions } from './state/agreement-versions.js';
import { ANSWERED_ENTRIES_SCHEMA, AnsweredEntries } from './state/answered-entries.js';
import { BLOCKED_COVERS_SCHEMA, BlockedCovers } from './state/blocked-covers.js';
import { CHILD_DUTIES_SCHEMA, ChildDuties } from './state/child-duties.js';
import { GRANTS_TABLE_SCHEMA, GrantsTable } from './state/grants-table.js';
import { LEDGER_TABLE_SCHEMA, LedgerTable } from './state/ledger-table.js';
import { MEMBERSHIP_TABLE_SCHEMA, MembershipTable } from './state/membership-table.js';
import { LEGAL_HOLDS_SCHEMA, LegalHolds } from './state/legal-holds.js';
import { NOTICE_LOG_SCHEMA, NoticeLog } from './state/notice-log.js';
import { ONWARD_REQUESTS_SCHEMA, OnwardRequests } from './state/onward-requests.js';
import { OWN_PUBLICATIONS_SCHEMA, OwnPublications } from './state/own-publications.js';
import { PURGE_ENTRIES_SCHEMA, PurgeEntries } from './state/purge-entries.js';
import { READING_LOG_SCHEMA, ReadingLog } from './state/reading-log.js';
import { SEAL_TABLE_SCHEMA, SealTable } from './state/seal-table.js';
import { SEALED_HEADERS_SCHEMA, SealedHeaders } from './state/sealed-headers.js';
import { SECTION_TOMBSTONES_SCHEMA, SectionTombstones } from './state/section-tombstones.js';
import { SYSTEMS_SCHEMA, SystemsTable } from './state/systems-table.js';
import { TOMBSTONES_SCHEMA, Tombstones } from './state/tombstones.js';
import { UNERASED_ORDERS_SCHEMA, UnerasedOrders } from './state/unerased-orders.js';
import { DERIVATIONS_SCHEMA, Derivations } from './derivations.js';
import { STORE_MARK_SCHEMA, StoreMark } from './store-mark.js';

const SCHEMA = [
  AGREEMENT_VERSIONS_SCHEMA,
  ANSWERED_ENTRIES_SCHEMA,
  BLOCKED_COVERS_SCHEMA,
  CHAIN_SCHEMA,
  CHILD_DUTIES_SCHEMA,
  DERIVATIONS_SCHEMA,
  GRANTS_TABLE_SCHEMA,
  LEDGER_TABLE_SCHEMA,
  MEMBERSHIP_TABLE_SCHEMA,
  LEGAL_HOLDS_SCHEMA,
  NOTICE_LOG_SCHEMA,
  ONWARD_REQUESTS_SCHEMA,
  ORDERED_ALONE_SCHEMA,
  OWN_PUBLICATIONS_SCHEMA,
  PURGE_ENTRIES_SCHEMA,
  READING_LOG_SCHEMA,
  SEAL_TABLE_SCHEMA,
  SEALED_HEADERS_SCHEMA,
  SECTION_TOMBSTONES_SCHEMA,
  STORE_MARK_SCHEMA,
  SYSTEMS_SCHEMA,
  TOMBSTONES_SCHEMA,
  UNERASED_ORDERS_SCHEMA,
].join('\n');

/**
 * Who holds what, what is sealed and what is purged: one file, so that heads, outbox and all of these commit together.
 * Never in a backup; ids are bytes, and nothing here is content.
 */
export class StateStore {
  readonly db: Sqlite;
  readonly alone: OrderedAlone;
  readonly answered: AnsweredEntries;
  readonly chains: ChainTables;
  readonly children: ChildDuties;
  readonly covers: BlockedCovers;
  readonly derivations: Derivations;
  readonly grants: GrantsTable;
  readonly holds: LegalHolds;
  readonly ledger: LedgerTable;
  readonly mark: StoreMark;
  readonly membership: MembershipTable;
  readonly notices: NoticeLog;
  readonly onward: OnwardRequests;
  readonly own: OwnPublications;
  readonly purges: PurgeEntries;
  readonly readings: ReadingLog;
  readonly seals: SealTable;
  readonly sealedHeaders: SealedHeaders;
  readonly sections: SectionTombstones;
  readonly systems: SystemsTable;
  readonly tombstones: Tombstones;
  readonly unerased: UnerasedOrders;
  readonly versions: AgreementVersions;

  constructor(file: string) {
    this.db = new Sqlite(file, SCHEMA);
    this.alone = new OrderedAlone(this.db);
    this.answered = new AnsweredEntries(this.db);
    this.chains = new ChainTables(this.db);
    this.children = new ChildDuties(this.db);
    this.covers = new BlockedCovers(this.db);
    this.derivations = new Derivations(this.db);
    this.grants = new GrantsTable(this.db);
    this.holds = new LegalHolds(this.db);
    this.ledger = new LedgerTable(this.db);
    this.mark = new StoreMark(this.db);
    this.membership = new MembershipTable(this.db);
    this.notices = new NoticeLog(this.db);
    this.onward = new OnwardRequests(this.db);
    this.own = new OwnPublications(this.db);
    this.purges = new PurgeEntries(this.db);
    this.readings = new ReadingLog(this.db);
    this.seals = new SealTable(this.db);
    this.sealedHeaders = new SealedHeaders(this.db);
    this.sections = new SectionTombstones(this.db);
    this.systems = new SystemsTable(this.db);
    this.tombstones = new Tombstones(this.db);
    this.unerased = new UnerasedOrders(this.db);
    this.versions = new AgreementVersions(this.db);
  }

  close(): void {
    this.db.close();
  }
}
