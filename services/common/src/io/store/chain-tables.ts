import { EMPTY_HEAD, type Head, followChain } from '../../domain/chain.js';
import { equalBytes } from '../../domain/bytes.js';
import { ConcordatError } from '../../domain/errors.js';
import type { Hash, UnixMs } from '../../domain/ids.js';
import type { OutgoingRecord } from '../log-client.js';
import { type Row, type Sqlite, bytesOf, numberOf, textOf } from './sqlite.js';
import { UnsentRecords } from './unsent-records.js';

/** The tables that every writer and reader of chains keeps in its own database. */
export const CHAIN_SCHEMA = `
CREATE TABLE IF NOT EXISTS own_head(
  chain TEXT PRIMARY KEY, epoch INTEGER NOT NULL, number INTEGER NOT NULL, hash BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS outbox(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, lane INTEGER NOT NULL,
  value BLOB NOT NULL, headers TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS outbox_lane ON outbox(topic, lane, seq);
CREATE TABLE IF NOT EXISTS position(
  topic TEXT NOT NULL, lane INTEGER NOT NULL, next TEXT NOT NULL, PRIMARY KEY(topic, lane));
CREATE TABLE IF NOT EXISTS followed(
  chain TEXT PRIMARY KEY, epoch INTEGER NOT NULL, number INTEGER NOT NULL, hash BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS seen(
  chain TEXT NOT NULL, epoch INTEGER NOT NULL, number INTEGER NOT NULL, hash BLOB NOT NULL,
  PRIMARY KEY(chain, epoch, number));
CREATE TABLE IF NOT EXISTS gap(
  chain TEXT PRIMARY KEY, missing_from INTEGER NOT NULL, missing_to INTEGER NOT NULL, at_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS quarantine(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL UNIQUE, code TEXT NOT NULL, message TEXT NOT NULL,
  value BLOB NOT NULL, at_ms INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS kept(
  seq INTEGER PRIMARY KEY, topic TEXT NOT NULL, lane INTEGER NOT NULL, epoch INTEGER NOT NULL, number INTEGER NOT NULL,
  at_ms INTEGER NOT NULL, size INTEGER NOT NULL, value BLOB NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS kept_number ON kept(topic, lane, epoch, number);
CREATE TABLE IF NOT EXISTS void(
  chain TEXT NOT NULL, epoch INTEGER NOT NULL, from_number INTEGER NOT NULL, to_number INTEGER NOT NULL,
  bytes BLOB NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY(chain, epoch, from_number, to_number));
CREATE TABLE IF NOT EXISTS counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL);
`;

/** What was sent stays for who missed it: past the topics' seven days, and within what a disk has to spare. */
const KEPT_BOUNDS: KeptBounds = { ageMs: 30 * 86_400_000, bytes: 2 * 1024 ** 3 };
/** After so many new ones the oldest are looked at, and at most so many go. */
const LOOK_EVERY = 64;
const DROPPED_AT_ONCE = 256;
/** Records of one answer to somebody who missed them. */
const SENT_AGAIN_MAX = 256;
/** The newest that are kept; what was refused before them is counted only. */
const QUARANTINE_ROWS_MAX = 1_000;

function headersAndKey(text: string): Pick<OutgoingRecord, 'headers' | 'key'> {
  type Headers = Readonly<Record<string, string>>;
  const stored = JSON.parse(text) as Headers | readonly [headers: Headers, key: string];
  if (!isPair(stored)) return { headers: stored };
  const [headers, key] = stored;
  return { headers, key };
}

function isPair<T>(stored: T | readonly [T, string]): stored is readonly [T, string] {
  return Array.isArray(stored);
}

function laneKey(topic: string, lane: number): string {
  return `${topic}/${String(lane)}`;
}

function headOf(row: Row | undefined): Head {
  if (!row) return EMPTY_HEAD;
  const hash = bytesOf(row, 'hash') as Hash;
  return { epoch: numberOf(row, 'epoch'), number: numberOf(row, 'number'), hash };
}

/** What a statement of a followed chain is, beside what was read before. */
export type Followed =
  | { readonly kind: 'next' }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'gap'; readonly missingFrom: number; readonly missingTo: number }
  | { readonly kind: 'broken' | 'equivocation' };

/** How long, and how many bytes of, sent records are kept. */
export interface KeptBounds {
  readonly ageMs: number;
  readonly bytes: number;
}

/** What a writer still has of a lane, from a number on. */
export interface KeptRecords {
  readonly values: readonly Uint8Array[];
  /** the lowest number of this epoch that is still kept; 0: none is */
  readonly firstKept: number;
}

export interface QuarantineRow {
  readonly source: string;
  readonly code: string;
  readonly message: string;
  readonly atMs: number;
  /** of its bytes */
  readonly size: number;
}

/** The rows of a lane that the broker has. */
interface Sent {
  readonly topic: string;
  readonly lane: number;
  readonly upTo: number;
}

export interface OutboxRow {
  readonly seq: number;
  readonly record: OutgoingRecord;
}

/**
 * Heads, outbox, positions and counters of one service. All calls of one decision belong into one transaction of
 * the same database, so that decision, number, signed bytes, head and source position commit together.
 */
export class ChainTables {
  readonly #db: Sqlite;
  readonly #bounds: KeptBounds;
  /** bytes of what is kept, about: counted at the start, for a sum over all rows costs too much at every send */
  #keptBytes: number;
  /** rows that the broker has and that may still stand here, by lane: they go with the next commit that writes a row */
  readonly #acknowledged = new Map<string, Sent>();
  readonly #unsent = new UnsentRecords();

  constructor(db: Sqlite, bounds = KEPT_BOUNDS) {
    this.#db = db;
    this.#bounds = bounds;
    this.#keptBytes = numberOf(db.get('SELECT coalesce(sum(size), 0) AS n FROM kept') ?? {}, 'n');
  }

  ownHead(chain: string): Head {
    return headOf(this.#db.get('SELECT * FROM own_head WHERE chain = ?', chain));
  }

  /** Compare-and-set: a second writer of the chain loses here. */
  advanceOwn(chain: string, from: Head, to: Head): void {
    if (from.number === 0) {
      this.#db.run(
        'INSERT OR IGNORE INTO own_head VALUES(?, ?, ?, ?)',
        chain,
        from.epoch,
        0,
        from.hash,
      );
    }
    const changed = this.#db.run(
      'UPDATE own_head SET epoch = ?, number = ?, hash = ? WHERE chain = ? AND epoch = ? AND number = ? AND hash = ?',
      to.epoch,
      to.number,
      to.hash,
      chain,
      from.epoch,
      from.number,
      from.hash,
    );
    if (changed !== 1) {
      throw new ConcordatError('INTERNAL', `another writer moved the head of ${chain}`);
    }
  }

  ownHeads(): { readonly chain: string; readonly head: Head }[] {
    return this.#db
      .all('SELECT * FROM own_head ORDER BY chain')
      .map((row) => ({ chain: textOf(row, 'chain'), head: headOf(row) }));
  }

  enqueue(topic: string, lane: number, record: OutgoingRecord): number {
    return this.#enqueue(topic, lane, record, record.value);
  }

  /** @param stored what stands in the row itself */
  #enqueue(topic: string, lane: number, record: OutgoingRecord, stored: Uint8Array): number {
    this.deleteSent();
    this.#db.run(
      'INSERT INTO outbox(topic, lane, value, headers) VALUES(?, ?, ?, ?)',
      topic,
      lane,
      stored,
      // with a key: both in a list
      JSON.stringify(
        record.key === undefined ? (record.headers ?? {}) : [record.headers ?? {}, record.key],
      ),
    );
    const seq = numberOf(this.#db.get('SELECT max(seq) AS seq FROM outbox') ?? {}, 'seq');
    // a row that is rolled back gives its number to another one
    this.#db.afterCommit(() => this.#unsent.keep(seq, record));
    return seq;
  }

  /** Enqueues a record of a chain and keeps its bytes, so that who missed it can have it again. */
  enqueueKept(
    topic: string,
    lane: number,
    record: OutgoingRecord,
    { epoch, number, atMs }: { readonly epoch: number; readonly number: number; atMs: UnixMs },
  ): number {
    const { value } = record;
    // the bytes stand once: the outbox row, which goes soon, has none of its own
    const seq = this.#enqueue(topic, lane, record, new Uint8Array());
    this.#db.run(
      'INSERT INTO kept VALUES(?, ?, ?, ?, ?, ?, ?, ?)',
      ...[seq, topic, lane, epoch, number, atMs, value.length, value],
    );
    this.#keptBytes += value.length;
    if (seq % LOOK_EVERY === 0) this.#dropOld(atMs);
    return seq;
  }

  /** Kept records of a lane from a number on, without a gap; at least one if it is kept, however large. */
  keptFrom(
    { topic, lane, epoch, from }: { topic: string; lane: number; epoch: number; from: number },
    bytesMax: number,
  ): KeptRecords {
    const where = 'FROM kept WHERE topic = ? AND lane = ? AND epoch = ?';
    const place = [topic, lane, epoch] as const;
    const first = this.#db.get(`SELECT min(number) AS number ${where}`, ...place)?.['number'];
    const sizes = this.#db.all(
      `SELECT number, size ${where} AND number >= ? ORDER BY number LIMIT ?`,
      ...place,
      ...[from, SENT_AGAIN_MAX],
    );
    let bytes = 0;
    const wanted = sizes.findIndex((row, i) => {
      bytes += numberOf(row, 'size');
      return numberOf(row, 'number') !== from + i || (i > 0 && bytes > bytesMax);
    });
    const rows = this.#db.all(
      `SELECT value ${where} AND number >= ? ORDER BY number LIMIT ?`,
      ...place,
      ...[from, wanted === -1 ? sizes.length : wanted],
    );
    return {
      values: rows.map((row) => bytesOf(row, 'value')),
      firstKept: typeof first === 'number' ? first : 0,
    };
  }

  /** The oldest go first; what the broker does not have yet stays. */
  #dropOld(nowMs: UnixMs): void {
    const oldest = this.#db.all(
      `SELECT seq, at_ms, size FROM kept WHERE NOT EXISTS(SELECT 1 FROM outbox WHERE outbox.seq = kept.seq)
       ORDER BY seq LIMIT ?`,
      DROPPED_AT_ONCE,
    );
    for (const row of oldest) {
      const isOld = numberOf(row, 'at_ms') < nowMs - this.#bounds.ageMs;
      if (!isOld && this.#keptBytes <= this.#bounds.bytes) return;
      this.#db.run('DELETE FROM kept WHERE seq = ?', numberOf(row, 'seq'));
      this.#keptBytes -= numberOf(row, 'size');
    }
  }

  outboxLanes(): { readonly topic: string; readonly lane: number }[] {
    return this.#db
      .all('SELECT DISTINCT topic, lane FROM outbox')
      .map((row) => ({ topic: textOf(row, 'topic'), lane: numberOf(row, 'lane') }));
  }

  outboxOf(topic: string, lane: number, limit: number): OutboxRow[] {
    return this.#db
      .all(
        'SELECT seq FROM outbox WHERE topic = ? AND lane = ? AND seq > ? ORDER BY seq LIMIT ?',
        topic,
        lane,
        this.#acknowledged.get(laneKey(topic, lane))?.upTo ?? 0,
        limit,
      )
      .map((row) => {
        const seq = numberOf(row, 'seq');
        return { seq, record: this.#unsent.get(seq) ?? this.#stored(seq) };
      });
  }

  #stored(seq: number): OutgoingRecord {
    const row = this.#db.get(
      `SELECT coalesce(k.value, o.value) AS value, o.headers FROM outbox o LEFT JOIN kept k ON k.seq = o.seq
       WHERE o.seq = ?`,
      seq,
    );
    if (!row) throw new TypeError(`no row ${String(seq)}`);
    return { value: bytesOf(row, 'value'), ...headersAndKey(textOf(row, 'headers')) };
  }

  /**
   * The broker has these rows. A commit only to say so would cost as much as that of a block: they are deleted with the next one.
   * A process that is killed before sends them again, the same bytes.
   */
  sent(topic: string, lane: number, upTo: number): void {
    this.#acknowledged.set(laneKey(topic, lane), { topic, lane, upTo });
    const rows = this.#db.all(
      'SELECT seq FROM outbox WHERE topic = ? AND lane = ? AND seq <= ?',
      topic,
      lane,
      upTo,
    );
    for (const row of rows) this.#unsent.forget(numberOf(row, 'seq'));
  }

  /** Deletes what the broker has. */
  deleteSent(): void {
    for (const [key, { topic, lane, upTo }] of this.#acknowledged) {
      const sql = 'DELETE FROM outbox WHERE topic = ? AND lane = ? AND seq <= ?';
      // only what another time had deleted is surely gone: this transaction may yet be rolled back
      if (this.#db.run(sql, topic, lane, upTo) === 0) this.#acknowledged.delete(key);
    }
  }

  /** Has the broker acknowledged this row, and all before it on its lane? */
  isSent(topic: string, lane: number, seq: number): boolean {
    const has = this.#acknowledged.get(laneKey(topic, lane))?.upTo ?? 0;
    if (seq <= has) return true;
    const sql =
      'SELECT 1 AS one FROM outbox WHERE topic = ? AND lane = ? AND seq <= ? AND seq > ? LIMIT 1';
    return this.#db.get(sql, topic, lane, seq, has) === undefined;
  }

  /** Rows that the broker has not acknowledged, of all topics or of one. */
  outboxSize(topic?: string): number {
    const row =
      topic === undefined
        ? this.#db.get('SELECT count(*) AS n FROM outbox')
        : this.#db.get('SELECT count(*) AS n FROM outbox WHERE topic = ?', topic);
    let rows = numberOf(row ?? {}, 'n');
    for (const sent of this.#acknowledged.values()) {
      if (topic === undefined || topic === sent.topic) rows -= this.#standing(sent);
    }
    return rows;
  }

  /** How many rows are still to be deleted. */
  #standing({ topic, lane, upTo }: Sent): number {
    const sql = 'SELECT count(*) AS n FROM outbox WHERE topic = ? AND lane = ? AND seq <= ?';
    return numberOf(this.#db.get(sql, topic, lane, upTo) ?? {}, 'n');
  }

  /** The offset of the first record that has no effect yet. */
  position(topic: string, lane: number): bigint {
    const row = this.#db.get('SELECT next FROM position WHERE topic = ? AND lane = ?', topic, lane);
    return row ? BigInt(textOf(row, 'next')) : 0n;
  }

  setPosition(topic: string, lane: number, next: bigint): void {
    this.#db.run(
      'INSERT INTO position VALUES(?, ?, ?) ON CONFLICT(topic, lane) DO UPDATE SET next = excluded.next',
      topic,
      lane,
      next.toString(),
    );
  }

  followedHead(chain: string): Head {
    return headOf(this.#db.get('SELECT * FROM followed WHERE chain = ?', chain));
  }

  followedHeads(): { readonly chain: string; readonly head: Head }[] {
    return this.#db
      .all('SELECT * FROM followed ORDER BY chain')
      .map((row) => ({ chain: textOf(row, 'chain'), head: headOf(row) }));
  }

  /** The hash of the statement that was read for this number, if one was. */
  seenHash(chain: string, epoch: number, number: number): Hash | undefined {
    const row = this.#db.get(
      'SELECT hash FROM seen WHERE chain = ? AND epoch = ? AND number = ?',
      chain,
      epoch,
      number,
    );
    return row && (bytesOf(row, 'hash') as Hash);
  }

  /** Judges a verified statement and, when it is the next one, moves the head. */
  follow(
    chain: string,
    link: { epoch: number; number: number; previous: Hash; hash: Hash },
    nowMs: UnixMs,
  ): Followed {
    const known = this.seenHash(chain, link.epoch, link.number);
    if (known && !equalBytes(known, link.hash)) return { kind: 'equivocation' };
    const step = followChain(this.followedHead(chain), link);
    switch (step.kind) {
      case 'seen':
        return known ? { kind: 'duplicate' } : { kind: 'broken' };
      case 'broken':
        return step;
      case 'gap':
        this.#db.run(
          'INSERT OR REPLACE INTO gap VALUES(?, ?, ?, ?)',
          chain,
          step.missingFrom,
          step.missingTo,
          nowMs,
        );
        return step;
      case 'next':
        this.#db.run(
          'INSERT OR REPLACE INTO followed VALUES(?, ?, ?, ?)',
          chain,
          step.head.epoch,
          step.head.number,
          step.head.hash,
        );
        this.#db.run(
          'INSERT OR IGNORE INTO seen VALUES(?, ?, ?, ?)',
          chain,
          link.epoch,
          link.number,
          link.hash,
        );
        this.#db.run('DELETE FROM gap WHERE chain = ?', chain);
        return { kind: 'next' };
    }
  }

  /**
   * Goes past numbers that their writer has signed will never come, and keeps that statement.
   *
   * @returns false when they do not begin at what is missing, or before it
   */
  skip(
    chain: string,
    about: { readonly epoch: number; readonly from: number; readonly to: number; hash: Hash },
    bytes: Uint8Array,
    nowMs: UnixMs,
  ): boolean {
    const { epoch, from, to, hash } = about;
    const head = this.followedHead(chain);
    if (epoch !== head.epoch || from > head.number + 1 || to <= head.number) return false;
    this.#db.run('INSERT OR REPLACE INTO followed VALUES(?, ?, ?, ?)', chain, epoch, to, hash);
    this.#db.run('INSERT OR IGNORE INTO seen VALUES(?, ?, ?, ?)', chain, epoch, to, hash);
    this.#db.run('DELETE FROM gap WHERE chain = ?', chain);
    this.keepVoid(chain, about, bytes, nowMs);
    return true;
  }

  /** A void of ours or of another; for ever, for it is the only trace of what it names. */
  keepVoid(
    chain: string,
    { epoch, from, to }: { readonly epoch: number; readonly from: number; readonly to: number },
    bytes: Uint8Array,
    nowMs: UnixMs,
  ): void {
    const sql = 'INSERT OR IGNORE INTO void VALUES(?, ?, ?, ?, ?, ?)';
    this.#db.run(sql, ...[chain, epoch, from, to, bytes, nowMs]);
  }

  /** Voids that cover a number of a chain, as they were signed. */
  voidsAt(chain: string, epoch: number, number: number): Uint8Array[] {
    return this.#db
      .all(
        `SELECT bytes FROM void WHERE chain = ? AND epoch = ? AND from_number <= ? AND to_number >= ?
         ORDER BY to_number DESC`,
        ...[chain, epoch, number, number],
      )
      .map((row) => bytesOf(row, 'bytes'));
  }

  /** Forgets positions and expected numbers of chains whose name begins so; what was seen stays known. */
  rewind(topicPrefix: string): void {
    this.#db.run(
      'DELETE FROM position WHERE substr(topic, 1, ?) = ?',
      topicPrefix.length,
      topicPrefix,
    );
    this.#db.run(
      'DELETE FROM followed WHERE substr(chain, 1, ?) = ?',
      topicPrefix.length,
      topicPrefix,
    );
  }

  /** The newest number that was read of this chain, also beyond a gap. */
  newestNumber(chain: string): number {
    const gap = this.#db.get('SELECT missing_to FROM gap WHERE chain = ?', chain);
    const { number } = this.followedHead(chain);
    return gap ? Math.max(numberOf(gap, 'missing_to') + 1, number) : number;
  }

  /** Does the followed chain miss a number? */
  hasGap(chain: string): boolean {
    return this.#db.get('SELECT 1 AS one FROM gap WHERE chain = ?', chain) !== undefined;
  }

  /** Does a chain on any lane of this topic miss a number? */
  hasGapOn(topic: string): boolean {
    const start = `${topic}/`;
    const sql = 'SELECT 1 AS one FROM gap WHERE substr(chain, 1, ?) = ? LIMIT 1';
    return this.#db.get(sql, start.length, start) !== undefined;
  }

  gaps(): string[] {
    return this.#db
      .all('SELECT * FROM gap ORDER BY chain')
      .map(
        (row) =>
          `${textOf(row, 'chain')}: missing ${String(numberOf(row, 'missing_from'))} to ${String(numberOf(row, 'missing_to'))}`,
      );
  }

  /** Keeps the bytes of a record that was refused, of the newest thousand; the same source position counts once. */
  quarantine(
    source: string,
    why: ConcordatError,
    value: Uint8Array,
    nowMs: UnixMs,
  ): 'kept' | 'known' {
    const kept = this.#db.run(
      'INSERT OR IGNORE INTO quarantine(source, code, message, value, at_ms) VALUES(?, ?, ?, ?, ?)',
      source,
      why.code,
      why.message,
      value,
      nowMs,
    );
    if (kept === 0) return 'known';
    this.count(`quarantined.${why.code}`);
    // a flood must not fill the disk; what only a valid signature can cause is evidence and stays
    this.#db.run(
      `DELETE FROM quarantine WHERE code <> 'EQUIVOCATION' AND seq <= (SELECT max(seq) FROM quarantine) - ?`,
      QUARANTINE_ROWS_MAX,
    );
    return 'kept';
  }

  quarantined(): QuarantineRow[] {
    return this.#db
      .all(
        'SELECT source, code, message, at_ms, length(value) AS size FROM quarantine ORDER BY seq LIMIT ?',
        QUARANTINE_ROWS_MAX,
      )
      .map((row) => ({
        source: textOf(row, 'source'),
        code: textOf(row, 'code'),
        message: textOf(row, 'message'),
        atMs: numberOf(row, 'at_ms'),
        size: numberOf(row, 'size'),
      }));
  }

  quarantinedAt(source: string): { readonly code: string; readonly value: Uint8Array } | undefined {
    const row = this.#db.get('SELECT code, value FROM quarantine WHERE source = ?', source);
    return row && { code: textOf(row, 'code'), value: bytesOf(row, 'value') };
  }

  /** Sources on a topic that were refused for one of these reasons, in the order of their refusal. */
  quarantinedFor(topic: string, codes: readonly string[]): string[] {
    const start = `${topic}/`;
    return this.#db
      .all(
        `SELECT source FROM quarantine WHERE substr(source, 1, ?) = ? AND code IN (${codes.map(() => '?').join(', ')})
         ORDER BY seq`,
        ...[start.length, start, ...codes],
      )
      .map((row) => textOf(row, 'source'));
  }

  /** The record has had its effect; what proves an equivocation stays for ever. */
  release(source: string): void {
    this.#db.run("DELETE FROM quarantine WHERE source = ? AND code <> 'EQUIVOCATION'", source);
    this.count('quarantine.released');
  }

  count(name: string, by = 1): void {
    this.#db.run(
      'INSERT INTO counter VALUES(?, ?) ON CONFLICT(name) DO UPDATE SET value = value + excluded.value',
      name,
      by,
    );
  }

  counters(): Record<string, number> {
    const rows = this.#db.all('SELECT * FROM counter ORDER BY name');
    return Object.fromEntries(rows.map((row) => [textOf(row, 'name'), numberOf(row, 'value')]));
  }
}
