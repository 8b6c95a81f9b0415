import { type EventId, type Hash, type UnixMs, idBytes } from '@concordat/common/domain/ids.js';
import {
  fromSortable,
  idAt,
  lookUp,
  numberAt,
  optionalIdAt,
  packIds,
  packNumbers,
} from '@concordat/common/io/store/packed.js';
import { type Row, type Sqlite, bytesOf, numberOf } from '@concordat/common/io/store/sqlite.js';
import { eventIdIn } from './stored-ids.js';

export const OWN_PUBLICATIONS_SCHEMA = `
CREATE TABLE IF NOT EXISTS own_block(
  lane INTEGER NOT NULL, epoch INTEGER NOT NULL, number INTEGER NOT NULL, hash BLOB NOT NULL,
  tree_size INTEGER NOT NULL, statement BLOB NOT NULL, headers BLOB NOT NULL,
  PRIMARY KEY(lane, epoch, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS own_event(
  id BLOB PRIMARY KEY, lane INTEGER NOT NULL, epoch INTEGER NOT NULL, number INTEGER NOT NULL, leaf INTEGER NOT NULL,
  supersedes BLOB, retain_until BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS own_event_supersedes ON own_event(supersedes) WHERE supersedes IS NOT NULL;
`;

export interface BlockPlace {
  readonly lane: number;
  readonly epoch: number;
  readonly number: number;
}

/** A map key for a block. */
export function blockKey({ lane, epoch, number }: BlockPlace): string {
  return `${String(lane)}/${String(epoch)}/${String(number)}`;
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

/** Blocks and events of this node, and where each event stands. */
export class OwnPublications {
  readonly #db: Sqlite;

  constructor(db: Sqlite) {
    this.#db = db;
  }

  addBlock(block: OwnBlock): void {
    this.#db.run(
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

  block({ lane, epoch, number }: BlockPlace): OwnBlock | undefined {
    const row = this.#db.get(
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

  /** The events of one block, leaf by leaf. */
  addEvents(
    place: BlockPlace,
    events: readonly (Pick<OwnEvent, 'supersedes' | 'retainUntilMs'> & { readonly id: EventId })[],
  ): void {
    this.#db.run(
      `INSERT INTO own_event SELECT ${idAt(1)}, ?2, ?3, ?4, nth.i, ${optionalIdAt(5)}, ${numberAt(6)}
       FROM nth WHERE nth.i < ?7`,
      packIds(events.map(({ id }) => id)),
      place.lane,
      place.epoch,
      place.number,
      packIds(events.map(({ supersedes }) => supersedes)),
      packNumbers(events.map(({ retainUntilMs }) => retainUntilMs)),
      events.length,
    );
  }

  event(id: EventId): OwnEvent | undefined {
    const row = this.#db.get('SELECT * FROM own_event WHERE id = ?', idBytes(id));
    return row && ownEvent(row);
  }

  /** Those of these events that were published here. */
  events(ids: readonly EventId[]): Map<EventId, OwnEvent> {
    const sql = `SELECT nth.i, own_event.* FROM nth JOIN own_event ON id = ${idAt(1)} WHERE nth.i < ?2`;
    const found = lookUp(ids, (packed, count) => this.#db.all(sql, packed, count));
    return new Map(found.map(({ id, row }) => [id, ownEvent(row)]));
  }

  /** The next events in order of id. */
  after(
    last: EventId | undefined,
    limit: number,
  ): { readonly id: EventId; readonly event: OwnEvent }[] {
    return this.#db
      .all(
        'SELECT * FROM own_event WHERE id > ? ORDER BY id LIMIT ?',
        last ? idBytes(last) : new Uint8Array(),
        limit,
      )
      .map((row) => ({ id: eventIdIn(bytesOf(row, 'id')), event: ownEvent(row) }));
  }

  /** The first event that replaced this one, by id. */
  successorOf(id: EventId): EventId | undefined {
    const row = this.#db.get(
      'SELECT id FROM own_event WHERE supersedes = ? ORDER BY id LIMIT 1',
      idBytes(id),
    );
    return row && eventIdIn(bytesOf(row, 'id'));
  }

  count(): number {
    return numberOf(this.#db.get('SELECT count(*) AS n FROM own_event') ?? {}, 'n');
  }
}

function ownEvent(row: Row): OwnEvent {
  const supersedes = row['supersedes'];
  return {
    lane: numberOf(row, 'lane'),
    epoch: numberOf(row, 'epoch'),
    number: numberOf(row, 'number'),
    leaf: numberOf(row, 'leaf'),
    supersedes: supersedes instanceof Uint8Array ? eventIdIn(supersedes) : null,
    retainUntilMs: fromSortable(bytesOf(row, 'retain_until')) as UnixMs,
  };
}
