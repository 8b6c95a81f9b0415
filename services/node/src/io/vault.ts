import { lengthPrefixed, utf8 } from '@concordat/common/domain/bytes.js';
import {
  type EventId,
  type MemberId,
  type UnixMs,
  eventIdOf,
  idBytes,
} from '@concordat/common/domain/ids.js';
import type { Random } from '@concordat/common/domain/ports.js';
import { type Row, Sqlite, bytesOf, numberOf, textOf } from '@concordat/common/io/store/sqlite.js';
import { KekFiles } from './keks.js';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS generation(
  generation INTEGER PRIMARY KEY, bucket INTEGER NOT NULL, rows INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS section_key(
  origin TEXT NOT NULL, id BLOB NOT NULL, section TEXT NOT NULL, generation INTEGER NOT NULL, wrapped BLOB NOT NULL,
  PRIMARY KEY(origin, id, section)) WITHOUT ROWID;
`;

/** Wrapped keys under one key-encryption key. */
const GENERATION_ROWS_MAX = 65_536;
/** Keys that are deleted in the same weeks share generations. */
const BUCKET_MS = 30 * 24 * 3_600_000;

export interface VaultRow {
  readonly origin: MemberId;
  readonly id: EventId;
  readonly deleteByMs: UnixMs;
  readonly keys: ReadonlyMap<string, Uint8Array>;
}

/** Section keys, each wrapped under the key of its generation. Never in a backup. */
export class Vault {
  readonly #db: Sqlite;
  readonly #keks: KekFiles;

  constructor(file: string, kekDir: string, random: Random) {
    this.#db = new Sqlite(file, SCHEMA);
    this.#keks = new KekFiles(kekDir, random);
  }

  /**
   * Stores the keys of these events in one transaction; what is there already gives way: until an event is published
   * or its keys were checked against the header's commitments, a key found here is a failed attempt's.
   */
  put(rows: readonly VaultRow[]): void {
    this.#db.transaction(() => {
      for (const { origin, id, deleteByMs, keys } of rows) {
        const generation = this.#generationFor(deleteByMs, keys.size);
        for (const [section, key] of keys) {
          this.#db.run(
            'INSERT OR REPLACE INTO section_key VALUES(?, ?, ?, ?, ?)',
            origin,
            idBytes(id),
            section,
            generation,
            this.#keks.wrap(generation, key, label(origin, id, section)),
          );
        }
      }
    });
  }

  get(origin: MemberId, id: EventId): Map<string, Uint8Array> {
    const keys = new Map<string, Uint8Array>();
    const rows = this.#db.all(
      'SELECT section, generation, wrapped FROM section_key WHERE origin = ? AND id = ?',
      origin,
      idBytes(id),
    );
    for (const row of rows) {
      const section = textOf(row, 'section');
      const place = label(origin, id, section);
      const key = this.#keks.unwrap(numberOf(row, 'generation'), bytesOf(row, 'wrapped'), place);
      keys.set(section, key);
    }
    return keys;
  }

  sectionsHeld(origin: MemberId, id: EventId): string[] {
    return this.#db
      .all(
        'SELECT section FROM section_key WHERE origin = ? AND id = ? ORDER BY section',
        origin,
        idBytes(id),
      )
      .map((row) => textOf(row, 'section'));
  }

  /** Every (origin, id, section) whose key is held, in order; no key is unwrapped. */
  holdings(): { readonly origin: string; readonly id: Uint8Array; readonly section: string }[] {
    return this.#db
      .all('SELECT origin, id, section FROM section_key ORDER BY origin, id, section')
      .map((row) => ({
        origin: textOf(row, 'origin'),
        id: bytesOf(row, 'id'),
        section: textOf(row, 'section'),
      }));
  }

  /** The next events with keys, in order of (origin, id). */
  eventsAfter(
    after: { readonly origin: MemberId; readonly id: EventId } | undefined,
    limit: number,
  ): { readonly origin: MemberId; readonly id: EventId }[] {
    return this.#db
      .all(
        `SELECT DISTINCT origin, id FROM section_key WHERE (origin, id) > (?, ?)
         ORDER BY origin, id LIMIT ?`,
        after?.origin ?? '',
        after ? idBytes(after.id) : new Uint8Array(),
        limit,
      )
      .map((row) => ({ origin: textOf(row, 'origin') as MemberId, id: eventIdIn(row) }));
  }

  countEvents(): number {
    const sql = 'SELECT count(*) AS n FROM (SELECT DISTINCT origin, id FROM section_key)';
    return numberOf(this.#db.get(sql) ?? {}, 'n');
  }

  delete(events: readonly { readonly origin: MemberId; readonly id: EventId }[]): void {
    this.#db.transaction(() => {
      for (const { origin, id } of events) {
        this.#db.run('DELETE FROM section_key WHERE origin = ? AND id = ?', origin, idBytes(id));
      }
    });
  }

  /** After this nothing that was deleted is left in the file or its journal. */
  settle(): void {
    this.#db.truncateJournal();
  }

  close(): void {
    this.#db.close();
  }

  /** The generation for this many keys that are deleted together. */
  #generationFor(deleteByMs: UnixMs, keys: number): number {
    const bucket = Math.floor(deleteByMs / BUCKET_MS);
    const open = this.#db.get(
      'SELECT generation FROM generation WHERE bucket = ? AND rows <= ? ORDER BY generation DESC LIMIT 1',
      bucket,
      GENERATION_ROWS_MAX - keys,
    );
    const generation = open ? numberOf(open, 'generation') : this.#newGeneration(bucket);
    this.#db.run('UPDATE generation SET rows = rows + ? WHERE generation = ?', keys, generation);
    return generation;
  }

  #newGeneration(bucket: number): number {
    const row = this.#db.get('SELECT coalesce(max(generation), 0) + 1 AS next FROM generation');
    const generation = numberOf(row ?? {}, 'next');
    this.#keks.create(generation);
    this.#db.run('INSERT INTO generation VALUES(?, ?, 0)', generation, bucket);
    return generation;
  }
}

function eventIdIn(row: Row): EventId {
  const id = eventIdOf(bytesOf(row, 'id'));
  if (!id.ok) throw new TypeError('an id in the vault is not a UUIDv7');
  return id.value;
}

function label(origin: MemberId, id: EventId, section: string): Uint8Array {
  return lengthPrefixed(utf8('concordat vault v1'), utf8(origin), idBytes(id), utf8(section));
}
