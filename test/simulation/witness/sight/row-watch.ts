import type { Row, Sqlite } from '@concordat/common/io/store/sqlite.js';

/** One row that a commit changed, with its columns as they are now; of a deleted one as they were. */
export interface RowChange {
  readonly table: string;
  readonly verb: 'set' | 'deleted';
  readonly row: Row;
}

interface WatchedTable {
  readonly columns: readonly string[];
  /** an update of others is nothing that anybody wants to know */
  readonly updates: readonly string[];
}

const table = (columns: string, updates = ''): WatchedTable => ({
  columns: columns.split(' '),
  updates: updates.split(' ').filter(Boolean),
});

/** What witnesses want to know of each store, by its file. */
const WATCHED: Readonly<Record<string, Readonly<Record<string, WatchedTable>>>> = {
  'state.db': {
    tombstone: table('origin id order_id', 'order_id'),
    section_tombstone: table('origin id section order_id'),
    legal_hold: table('origin id released_at_ms', 'released_at_ms'),
    owed: table('origin id system'),
    followed: table('chain number', 'number'),
    gap: table('chain missing_from', 'missing_from'),
    seal: table('order_id seal_record'),
    membership: table('member stage'),
    own_event: table('id supersedes'),
    kept: table('topic value'),
  },
  'vault.db': { event_key: table('origin id sections', 'sections') },
  'data.db': { event: table('origin id state delete_by', 'state delete_by') },
  'revocation.db': {
    purge_order: table('order_id state reason', 'state'),
    purge_entry: table('recipient number bytes notice', 'notice'),
    receipt: table('holder entry_number'),
    open_receipt: table('holder entry_number'),
  },
};

const SLOTS = ['a', 'b', 'c', 'd'] as const;

/**
 * Tells which rows each commit changed: temporary triggers of the connection itself write it down, in the same transaction, so
 * that what is rolled back was never told.
 */
export class RowWatch {
  readonly #tables: Readonly<Record<string, WatchedTable>>;
  readonly #store: Sqlite;
  #told = 0;

  /** @returns undefined for a store that nobody wants to know of */
  static of(store: Sqlite): RowWatch | undefined {
    const tables = WATCHED[store.file.slice(store.file.lastIndexOf('/') + 1)];
    return tables && new RowWatch(store, tables);
  }

  private constructor(store: Sqlite, tables: Readonly<Record<string, WatchedTable>>) {
    this.#store = store;
    this.#tables = tables;
    store.run('CREATE TEMP TABLE told(seq INTEGER PRIMARY KEY, tab TEXT, verb TEXT, a, b, c, d)');
    for (const [name, watched] of Object.entries(tables)) {
      this.#trigger(name, 'set', 'INSERT', watched);
      if (watched.updates.length === 0 && name === 'kept') continue; // what is old is dropped there
      const ofColumns = watched.updates.join(', ');
      if (ofColumns !== '') this.#trigger(name, 'set', `UPDATE OF ${ofColumns}`, watched);
      this.#trigger(name, 'deleted', 'DELETE', watched);
    }
  }

  /** All rows that are watched, as if they came now; but for those of `kept`, which are many. */
  all(): RowChange[] {
    return Object.entries(this.#tables)
      .filter(([name]) => name !== 'kept')
      .flatMap(([name, { columns }]) =>
        this.#store
          .all(`SELECT ${columns.join(', ')} FROM ${name}`)
          .map((row) => ({ table: name, verb: 'set' as const, row })),
      );
  }

  /** What was committed since the last call. */
  changes(): RowChange[] {
    const rows = this.#store.all('SELECT * FROM told WHERE seq > ?', this.#told);
    return rows.map((row) => {
      this.#told = Number(row['seq']);
      const name = String(row['tab']);
      const columns = this.#tables[name]?.columns ?? [];
      const values = columns.map((column, at) => [column, row[SLOTS[at] ?? 'a'] ?? null] as const);
      const verb = row['verb'] === 'deleted' ? 'deleted' : 'set';
      return { table: name, verb, row: Object.fromEntries(values) };
    });
  }

  #trigger(name: string, verb: RowChange['verb'], event: string, { columns }: WatchedTable): void {
    const from = verb === 'deleted' ? 'old' : 'new';
    const slots = SLOTS.slice(0, columns.length).join(', ');
    const values = columns.map((column) => `${from}.${column}`).join(', ');
    this.#store.run(
      `CREATE TEMP TRIGGER tell_${name}_${event.split(' ')[0] ?? ''} AFTER ${event} ON main.${name} BEGIN
         INSERT INTO told(tab, verb, ${slots}) VALUES('${name}', '${verb}', ${values}); END`,
    );
  }
}
