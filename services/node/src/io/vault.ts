import { KEY_BYTES } from '@concordat/common/domain/aead.js';
import { concatBytes, lengthPrefixed, utf8 } from '@concordat/common/domain/bytes.js';
import {
  type EventId,
  type MemberId,
  type OrderId,
  type UnixMs,
  eventIdOf,
  idBytes,
} from '@concordat/common/domain/ids.js';
import type { Random } from '@concordat/common/domain/ports.js';
import {
  grouped,
  idAt,
  idsIn,
  lookUp,
  packRows,
  packedByOrigin,
  pieces,
} from '@concordat/common/io/store/packed.js';
import { type Row, Sqlite, bytesOf, numberOf, textOf } from '@concordat/common/io/store/sqlite.js';
import { KekFiles } from './keks.js';
import { STORE_MARK_SCHEMA, StoreMark } from './store-mark.js';
import { GENERATIONS_SCHEMA, Generations } from './vault/generations.js';
import {
  KEY_ERASURE_SCHEMA,
  KeyErasure,
  type TakenBack,
  type WrappedRow,
} from './vault/key-erasure.js';
import { SubjectTags } from './vault/subject-tags.js';

const SCHEMA = `${STORE_MARK_SCHEMA}
${GENERATIONS_SCHEMA}
${KEY_ERASURE_SCHEMA}
CREATE TABLE IF NOT EXISTS event_key(
  origin TEXT NOT NULL, id BLOB NOT NULL, sections TEXT NOT NULL, generation INTEGER NOT NULL, wrapped BLOB NOT NULL,
  PRIMARY KEY(origin, id)) WITHOUT ROWID;
`;

/** Keys that are deleted in the same weeks share generations. */
const BUCKET_MS = 30 * 24 * 3_600_000;

export interface VaultRow {
  readonly origin: MemberId;
  readonly id: EventId;
  readonly deleteByMs: UnixMs;
  readonly keys: ReadonlyMap<string, Uint8Array>;
  /** of own events: whom or what they are about */
  readonly subjects?: readonly string[];
}

/** An event of which these orders take sections back. */
export interface SectionsTakenBack {
  readonly origin: MemberId;
  readonly id: EventId;
  readonly orderIds: ReadonlySet<OrderId>;
}

/** Section keys, each wrapped under the key of its generation. Never in a backup. */
export class Vault {
  readonly mark: StoreMark;
  readonly erasure: KeyErasure;
  readonly #db: Sqlite;
  readonly #keks: KekFiles;
  readonly #generations: Generations;
  readonly #subjects: SubjectTags;

  constructor(file: string, kekDir: string, random: Random) {
    this.#db = new Sqlite(file, SCHEMA);
    const keks = new KekFiles(kekDir, random);
    this.#keks = keks;
    this.#subjects = new SubjectTags(() => keks.subjects());
    this.mark = new StoreMark(this.#db);
    const generations = new Generations(this.#db, keks);
    this.#generations = generations;
    const rewrap = (row: WrappedRow, generation: number): Uint8Array => {
      const place = label(row.origin, row.id, row.sections);
      return keks.wrap(generation, keks.unwrap(row.generation, row.wrapped, place), place);
    };
    this.erasure = new KeyErasure(this.#db, { keks, generations, rewrap });
  }

  /**
   * Stores the keys of these events in one transaction; what is there already gives way: until an event is published
   * or its keys were checked against the header's commitments, a key found here is a failed attempt's.
   */
  put(rows: readonly VaultRow[]): void {
    this.#db.transaction(() => {
      for (const [bucket, some] of grouped(rows, ({ deleteByMs }) => bucketOf(deleteByMs))) {
        for (const part of pieces(some)) this.#putTogether(bucket, part);
      }
    });
  }

  /** section to key; empty when none is held */
  get(origin: MemberId, id: EventId): ReadonlyMap<string, Uint8Array> {
    return this.getAll(origin, [id]).get(id) ?? new Map();
  }

  /** Of each event whose keys are held: section to key. */
  getAll(
    origin: MemberId,
    ids: readonly EventId[],
  ): ReadonlyMap<EventId, ReadonlyMap<string, Uint8Array>> {
    const found = this.#rowsOf(origin, ids);
    return new Map(found.map(({ id, row }) => [id, keysIn(row, this.#open(origin, id, row))]));
  }

  #rowsOf(origin: MemberId, ids: readonly EventId[]) {
    const sql = `SELECT nth.i, sections, generation, wrapped
      FROM nth JOIN event_key ON origin = ?1 AND id = ${idAt(2)} WHERE nth.i < ?3`;
    return lookUp(ids, (packed, count) => this.#db.all(sql, origin, packed, count));
  }

  sectionsHeld(origin: MemberId, id: EventId): string[] {
    const row = this.#db.get(
      'SELECT sections FROM event_key WHERE origin = ? AND id = ?',
      origin,
      idBytes(id),
    );
    return row ? sectionsOf(row) : [];
  }

  /** Every (origin, id, section) whose key is held, in order; no key is unwrapped. */
  holdings(): { readonly origin: string; readonly id: Uint8Array; readonly section: string }[] {
    return this.#db
      .all('SELECT origin, id, sections FROM event_key ORDER BY origin, id')
      .flatMap((row) =>
        sectionsOf(row).map((section) => ({
          origin: textOf(row, 'origin'),
          id: bytesOf(row, 'id'),
          section,
        })),
      );
  }

  /** The next events with keys, in order of (origin, id). */
  eventsAfter(
    after: { readonly origin: MemberId; readonly id: EventId } | undefined,
    limit: number,
  ): { readonly origin: MemberId; readonly id: EventId }[] {
    return this.#db
      .all(
        'SELECT origin, id FROM event_key WHERE (origin, id) > (?, ?) ORDER BY origin, id LIMIT ?',
        after?.origin ?? '',
        after ? idBytes(after.id) : new Uint8Array(),
        limit,
      )
      .map((row) => ({ origin: textOf(row, 'origin') as MemberId, id: eventIdIn(row) }));
  }

  /** Those of these events that are about one of these subjects, in the spelling of `domain/subjects.ts`. */
  about(origin: MemberId, ids: readonly EventId[], subjects: readonly string[]): Set<EventId> {
    const isAbout = this.#subjects.finder(subjects);
    const found = this.#rowsOf(origin, ids).filter(({ id, row }) =>
      isAbout(this.#open(origin, id, row).subarray(sectionsOf(row).length * KEY_BYTES)),
    );
    return new Set(found.map(({ id }) => id));
  }

  /** Those of these events whose keys are held; no key is unwrapped. */
  heldAmong(origin: MemberId, ids: readonly EventId[]): Set<EventId> {
    const sql = `SELECT nth.i FROM nth JOIN event_key ON origin = ?1 AND id = ${idAt(2)} WHERE nth.i < ?3`;
    const found = lookUp(ids, (packed, count) => this.#db.all(sql, origin, packed, count));
    return new Set(found.map(({ id }) => id));
  }

  /**
   * Drops what nobody can unwrap any more, for the file of its generation's key is lost.
   *
   * @returns how many events lost their keys so
   */
  dropLostGenerations(): number {
    const lost = this.#generations.all().filter((generation) => !this.#keks.has(generation));
    return this.#db.transaction(() => {
      let dropped = 0;
      for (const generation of lost) {
        dropped += this.#db.run('DELETE FROM event_key WHERE generation = ?', generation);
        this.#generations.drop(generation);
      }
      return dropped;
    });
  }

  countEvents(): number {
    return numberOf(this.#db.get('SELECT count(*) AS n FROM event_key') ?? {}, 'n');
  }

  /** @param events those that an order took back say so: the keys that theirs were wrapped under are destroyed later */
  delete(
    events: readonly (Omit<TakenBack, 'orderId'> & Partial<Pick<TakenBack, 'orderId'>>)[],
  ): void {
    this.#db.transaction(() => {
      this.erasure.touch(events.filter(isTakenBack));
      for (const { origin, ids, count } of packedByOrigin(events)) {
        const sql = `DELETE FROM event_key WHERE origin = ?1 AND id IN ${idsIn(2, 3)}`;
        this.#db.run(sql, origin, ids, count);
      }
    });
  }

  /** Keys of these sections go, those of the others are wrapped anew; an event without any left goes whole. */
  deleteSections({ origin, id, orderIds }: SectionsTakenBack, gone: ReadonlySet<string>): void {
    const row = this.#db.get(
      'SELECT sections, generation, wrapped FROM event_key WHERE origin = ? AND id = ?',
      origin,
      idBytes(id),
    );
    if (!row || !sectionsOf(row).some((name) => gone.has(name))) return;
    const opened = this.#open(origin, id, row);
    const keys = keysIn(row, opened);
    const tags = opened.subarray(keys.size * KEY_BYTES);
    const left = sectionsOf(row).filter((name) => !gone.has(name));
    this.#db.transaction(() => {
      this.erasure.touch([...orderIds].map((orderId) => ({ origin, id, orderId })));
      if (left.length === 0) {
        this.delete([{ origin, id }]);
        return;
      }
      const joined = left.join(BETWEEN);
      const plain = concatBytes(...left.map((name) => keyOf(keys, name)), tags);
      const generation = numberOf(row, 'generation');
      this.#db.run(
        'UPDATE event_key SET sections = ?, wrapped = ? WHERE origin = ? AND id = ?',
        ...[joined, this.#keks.wrap(generation, plain, label(origin, idBytes(id), joined))],
        ...[origin, idBytes(id)],
      );
    });
  }

  /** After this nothing that was deleted is left in the file or its journal. */
  settle(): void {
    this.#db.truncateJournal();
  }

  close(): void {
    this.#db.close();
  }

  #putTogether(bucket: number, rows: readonly VaultRow[]): void {
    const generation = this.#generations.forEvents(bucket, rows.length);
    const wrapped = rows.map(({ origin, id, keys, subjects = [] }) => {
      const sections = [...keys.keys()].sort();
      const joined = sections.join(BETWEEN);
      const tags = subjects.length === 0 ? [] : [this.#subjects.join(subjects)];
      const plain = concatBytes(...sections.map((name) => keyOf(keys, name)), ...tags);
      const bytes = this.#keks.wrap(generation, plain, label(origin, idBytes(id), joined));
      return { origin, sections: joined, row: concatBytes(idBytes(id), bytes) };
    });
    const alike = grouped(
      wrapped,
      ({ origin, sections, row }) => `${origin} ${sections} ${String(row.length)}`,
    );
    for (const same of alike.values()) {
      const [first] = same;
      if (!first) continue;
      const width = first.row.length;
      this.#db.run(
        `INSERT OR REPLACE INTO event_key
         SELECT ?1, substr(?2, nth.i * ?3 + 1, 16), ?4, ?5, substr(?2, nth.i * ?3 + 17, ?3 - 16)
         FROM nth WHERE nth.i < ?6`,
        first.origin,
        packRows(
          same.map(({ row }) => row),
          width,
        ),
        width,
        first.sections,
        generation,
        same.length,
      );
    }
  }

  /** The keys of its sections in order, and then the tags of whom it is about. */
  #open(origin: MemberId, id: EventId, row: Row): Uint8Array {
    const place = label(origin, idBytes(id), textOf(row, 'sections'));
    return this.#keks.unwrap(numberOf(row, 'generation'), bytesOf(row, 'wrapped'), place);
  }
}

function isTakenBack(event: Omit<TakenBack, 'orderId'> & Partial<TakenBack>): event is TakenBack {
  return event.orderId !== undefined;
}

function keysIn(row: Row, opened: Uint8Array): ReadonlyMap<string, Uint8Array> {
  return new Map(
    sectionsOf(row).map((section, at) => [
      section,
      opened.slice(at * KEY_BYTES, (at + 1) * KEY_BYTES),
    ]),
  );
}

function eventIdIn(row: Row): EventId {
  const id = eventIdOf(bytesOf(row, 'id'));
  if (!id.ok) throw new TypeError('an id in the vault is not a UUIDv7');
  return id.value;
}

/** Names of sections hold no blanks. */
const BETWEEN = ' ';

function sectionsOf(row: Row): string[] {
  return textOf(row, 'sections').split(BETWEEN);
}

function keyOf(keys: ReadonlyMap<string, Uint8Array>, section: string): Uint8Array {
  const key = keys.get(section);
  if (key?.length !== KEY_BYTES) throw new TypeError('expected a section key of 32 bytes');
  return key;
}

function bucketOf(deleteByMs: UnixMs): number {
  return Math.floor(deleteByMs / BUCKET_MS);
}

/** Binds wrapped keys to their event and to the sections that they open, in order. */
function label(origin: MemberId, id: Uint8Array, sections: string): Uint8Array {
  return lengthPrefixed(utf8('concordat vault v2'), utf8(origin), id, utf8(sections));
}
