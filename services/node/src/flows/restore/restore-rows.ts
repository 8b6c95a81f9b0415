import type { EventId, MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import type { RecordCodec } from '@concordat/common/domain/records.js';
import type { KeyDirectory } from '@concordat/common/domain/statement.js';
import { grouped } from '@concordat/common/io/store/packed.js';
import { BackedUpRows } from '../../io/backup/backed-up-rows.js';
import type { DataStore } from '../../io/data-store.js';
import type { StateStore } from '../../io/state-store.js';
import { type Admitted, BackupChecker, type FilterReason } from './check-backed-up.js';

/** Rows of one commit. */
const PAGE = 1_000;

export interface RestoreReport {
  readonly member: string;
  /** when the backup was made, ISO 8601 */
  readonly backupAt: string;
  /** events that the backup has */
  readonly events: number;
  readonly restored: {
    /** received; their keys are asked for at the next start, unless the vault has them */
    readonly waiting: number;
    /** own */
    readonly published: number;
    /** received, and the origin gave no key */
    readonly refused: number;
  };
  /** events of the backup that did not come back, by reason */
  readonly filtered: Readonly<Record<FilterReason, number>>;
  readonly keyRecords: number;
  readonly systems: number;
  /** feeds that go on where the backup stood: what came after it is read, or fetched, again */
  readonly feeds: readonly string[];
}

export interface RestoreParts {
  readonly self: MemberId;
  readonly codec: RecordCodec;
  readonly keys: KeyDirectory;
  /** when the backup was made */
  readonly backupAt: string;
  readonly data: DataStore;
  readonly state: StateStore;
  readonly backup: DataStore;
  readonly nowMs: UnixMs;
}

/**
 * Puts rows of a backup back into the data store of a node that does not run. What is here stays; what is purged, ended, or
 * not what its origin signed does not come. No row is readable by this: the next start looks everything through, reads
 * the purge ledgers up to their ends, and asks for keys.
 */
export function restoreRows(parts: RestoreParts): RestoreReport {
  const { self, data, backup, backupAt } = parts;
  // the next start must look for what came back
  data.mark.clear();
  const rows = new BackedUpRows(backup.db);
  const checker = new BackupChecker(parts, rows);
  const restored = { waiting: 0, published: 0, refused: 0 };
  const filtered = { KNOWN: 0, PURGED: 0, RETENTION: 0, UNPUBLISHED: 0, UNVERIFIED: 0 };
  let events = 0;
  for (
    let page = rows.after(undefined, PAGE);
    page.length > 0;
    page = rows.after(page.at(-1), PAGE)
  ) {
    events += page.length;
    const known = knownAmong(data, page);
    const admitted: Admitted[] = [];
    for (const row of page) {
      const checked = known.has(row) ? 'KNOWN' : checker.check(row);
      if (typeof checked === 'string') filtered[checked] += 1;
      else admitted.push(checked);
    }
    data.db.transaction(() => insert(data, self, admitted));
    for (const { row } of admitted) {
      restored[
        row.origin === self ? 'published' : row.state === 'refused' ? 'refused' : 'waiting'
      ] += 1;
    }
  }
  const systems = backup.systems.all().filter(({ id }) => {
    return !data.systems.all().some((one) => one.id === id);
  });
  const feeds = data.db.transaction(() => {
    for (const system of systems) data.systems.keep(system);
    return adoptPlaces(data, backup, rows);
  });
  const keyRecords = rows.copyKeyRecords(data.db, PAGE);
  return {
    ...{ member: self, backupAt, events, restored, filtered, keyRecords },
    ...{ systems: systems.length, feeds },
  };
}

function knownAmong<Row extends { readonly origin: MemberId; readonly id: EventId }>(
  data: DataStore,
  page: readonly Row[],
): Set<Row> {
  const known = new Set<Row>();
  for (const [origin, some] of grouped(page, (row) => row.origin)) {
    const ids = data.knownAmong(
      origin,
      some.map(({ id }) => id),
    );
    for (const row of some) if (ids.has(row.id)) known.add(row);
  }
  return known;
}

function insert(data: DataStore, self: MemberId, admitted: readonly Admitted[]): void {
  for (const some of grouped(admitted, ({ row }) => row.batch).values()) {
    const [first] = some;
    if (!first) continue;
    const { origin, chain, epoch, number, statement } = first.from;
    const batch = data.waiting.open({ origin, chain, epoch, number }, statement);
    const rows = some
      .map(({ row, body }) => ({ id: row.id, place: row.place, body }))
      .sort((one, other) => one.place - other.place);
    data.insert(origin, origin === self ? 'published' : 'waiting', batch, rows);
    for (const { row } of some) {
      if (row.state === 'refused') data.setRefused(origin, row.id, row.refusal);
    }
  }
}

/** Only for feeds of which the store here knows less than the backup does: none is ever set back. */
function adoptPlaces(data: DataStore, backup: DataStore, rows: BackedUpRows): string[] {
  const adopted = backup.chains.followedHeads().filter(({ chain, head }) => {
    const here = data.chains.followedHead(chain);
    return here.epoch === head.epoch && here.number < head.number;
  });
  for (const { chain, head } of adopted) rows.copyPlace(chain, head, data.db);
  return adopted.map(({ chain, head }) => `${chain} from ${String(head.number + 1)}`);
}
