import { join } from 'node:path';
import type { ReleaseDecision } from '@concordat/common/domain/decide-release.js';
import { type EventId, type MemberId, type UnixMs, idBytes } from '@concordat/common/domain/ids.js';
import { CHAIN_SCHEMA, ChainTables } from '@concordat/common/io/store/chain-tables.js';
import {
  fromSortable,
  grouped,
  idAt,
  lookUp,
  numberAt,
  packIds,
  packNumbers,
  pieces,
} from '@concordat/common/io/store/packed.js';
import { type Row, Sqlite, bytesOf, numberOf, textOf } from '@concordat/common/io/store/sqlite.js';
import { LEAVERS_SCHEMA, Leavers } from './leavers.js';

const SCHEMA = `
${CHAIN_SCHEMA}
${LEAVERS_SCHEMA}
CREATE TABLE IF NOT EXISTS ground(
  ground INTEGER PRIMARY KEY, outcome TEXT NOT NULL, reason TEXT NOT NULL, rule_id TEXT NOT NULL,
  agreement_id TEXT NOT NULL, agreement_version INTEGER NOT NULL, sections TEXT NOT NULL, purposes TEXT NOT NULL,
  category TEXT NOT NULL,
  UNIQUE(outcome, reason, rule_id, agreement_id, agreement_version, sections, purposes, category));
CREATE TABLE IF NOT EXISTS decision(
  id BLOB NOT NULL, recipient TEXT NOT NULL, ground INTEGER NOT NULL, delete_by BLOB NOT NULL,
  decided_at_ms INTEGER NOT NULL, PRIMARY KEY(id, recipient)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS onward_position(one INTEGER PRIMARY KEY, number INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS policy(since_ms INTEGER PRIMARY KEY, version TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tally(
  recipient TEXT NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY(recipient, outcome, reason)) WITHOUT ROWID;
`;

/** Names of sections and purposes hold no blanks. */
const BETWEEN = ' ';

export interface Decided {
  readonly outcome: 'RELEASED' | 'WITHHELD';
  readonly reason: string;
  readonly ruleId: string;
  readonly agreementId: string;
  readonly agreementVersion: number;
  readonly sections: readonly string[];
  readonly purposes: readonly string[];
  readonly deleteByMs: number;
  readonly category: string;
  readonly decidedAtMs: number;
}

/** Distinct events per recipient. */
export interface Counts {
  readonly recipient: string;
  readonly released: number;
  /** reason to number */
  readonly withheld: Readonly<Record<string, number>>;
}

/** One decision to keep. */
interface Made {
  readonly id: EventId;
  readonly category: string;
  readonly decision: ReleaseDecision;
}

/** In the tally: events, whoever they were decided on for. */
const ANYBODY = '';

/**
 * `consent.db`: every decision beside the chains that it follows and writes, so that they commit together. What decisions
 * have in common, their ground, is written once; how many there are is counted as they come.
 */
export class ConsentStore {
  readonly db: Sqlite;
  readonly chains: ChainTables;
  readonly leavers: Leavers;

  constructor(dataDir: string) {
    this.db = new Sqlite(join(dataDir, 'consent.db'), SCHEMA);
    this.chains = new ChainTables(this.db);
    this.leavers = new Leavers(this.db);
  }

  /**
   * The first decision on an event and a recipient stays: an id stands for one event for ever.
   *
   * @returns those that are new, in their order
   */
  decide<T extends Made>(recipient: MemberId, made: readonly T[], nowMs: UnixMs): T[] {
    const known = this.#known(recipient, made);
    const fresh = made.filter(({ id }) => {
      const isNew = !known.has(id);
      known.add(id);
      return isNew;
    });
    for (const same of byGround(fresh)) this.#keep(recipient, same, nowMs);
    return fresh;
  }

  /**
   * A release at a holder's request takes the place of a decision that withheld the event.
   *
   * @returns false when it was released before: then nothing changes
   */
  releaseOnward(recipient: MemberId, made: Made, nowMs: UnixMs): boolean {
    const before = this.decided(made.id, recipient);
    if (before?.outcome === 'RELEASED') return false;
    if (before) {
      const sql = 'DELETE FROM decision WHERE id = ? AND recipient = ?';
      this.db.run(sql, idBytes(made.id), recipient);
      this.#add(recipient, before.outcome, before.reason, -1);
    }
    this.#keep(recipient, [made], nowMs);
    return true;
  }

  /** Number of the last request of a holder that was looked at. */
  onwardPosition(): number {
    const row = this.db.get('SELECT number FROM onward_position');
    return row ? numberOf(row, 'number') : 0;
  }

  setOnwardPosition(number: number): void {
    this.db.run('INSERT OR REPLACE INTO onward_position VALUES(1, ?)', number);
  }

  #known(recipient: MemberId, made: readonly Made[]): Set<EventId> {
    const sql = `SELECT nth.i FROM nth JOIN decision ON id = ${idAt(1)} AND recipient = ?3 WHERE nth.i < ?2`;
    const ids = made.map(({ id }) => id);
    const found = lookUp(ids, (packed, count) => this.db.all(sql, packed, count, recipient));
    return new Set(found.map(({ id }) => id));
  }

  /** @param same decisions on one ground */
  #keep(recipient: MemberId, same: readonly Made[], nowMs: UnixMs): void {
    const [first] = same;
    if (!first) return;
    const { ground, outcome, reason } = this.#groundOf(first);
    for (const part of pieces(same)) {
      this.db.run(
        `INSERT INTO decision SELECT ${idAt(1)}, ?3, ?4, ${numberAt(5)}, ?6 FROM nth WHERE nth.i < ?2`,
        packIds(part.map(({ id }) => id)),
        part.length,
        recipient,
        ground,
        packNumbers(part.map(({ decision }) => deleteByOf(decision))),
        nowMs,
      );
    }
    this.#add(recipient, outcome, reason, same.length);
  }

  #groundOf({ category, decision }: Made): { ground: number; outcome: string; reason: string } {
    const terms = decision.outcome === 'release' ? decision.terms : undefined;
    const withheld = decision.outcome === 'withheld' ? decision : undefined;
    const outcome = terms ? 'RELEASED' : 'WITHHELD';
    const reason = withheld?.reason ?? '';
    const columns = [
      outcome,
      reason,
      terms?.ruleId ?? withheld?.ruleId ?? '',
      terms?.agreementId ?? '',
      terms?.agreementVersion ?? 0,
      terms?.sections.join(BETWEEN) ?? '',
      terms?.purposes.join(BETWEEN) ?? '',
      category,
    ];
    this.db.run('INSERT OR IGNORE INTO ground VALUES(NULL, ?, ?, ?, ?, ?, ?, ?, ?)', ...columns);
    const row = this.db.get(
      `SELECT ground FROM ground WHERE outcome = ? AND reason = ? AND rule_id = ? AND agreement_id = ?
       AND agreement_version = ? AND sections = ? AND purposes = ? AND category = ?`,
      ...columns,
    );
    return { ground: numberOf(row ?? {}, 'ground'), outcome, reason };
  }

  /** Decisions from now on are made under this version. */
  usePolicy(version: string, nowMs: UnixMs): void {
    if (this.policyAt(nowMs) === version) return;
    this.db.run('INSERT OR REPLACE INTO policy VALUES(?, ?)', nowMs, version);
  }

  /** The version that a decision of this time was made under; `''` before the first that was noted. */
  policyAt(atMs: UnixMs): string {
    const row = this.db.get(
      'SELECT version FROM policy WHERE since_ms <= ? ORDER BY since_ms DESC LIMIT 1',
      atMs,
    );
    return row ? textOf(row, 'version') : '';
  }

  decided(id: EventId, recipient: MemberId): Decided | undefined {
    const sql = 'SELECT * FROM decision JOIN ground USING(ground) WHERE id = ? AND recipient = ?';
    const row = this.db.get(sql, idBytes(id), recipient);
    return row && asDecided(row);
  }

  decidedForAnybody(id: EventId): Decided | undefined {
    const sql = 'SELECT * FROM decision JOIN ground USING(ground) WHERE id = ? LIMIT 1';
    const row = this.db.get(sql, idBytes(id));
    return row && asDecided(row);
  }

  /** @param events that were not decided on before */
  countDecided(events: number): void {
    this.#add(ANYBODY, 'DECIDED', '', events);
  }

  /** How many distinct events were decided on. */
  decidedEvents(): number {
    const row = this.db.get('SELECT n FROM tally WHERE recipient = ?', ANYBODY);
    return row ? numberOf(row, 'n') : 0;
  }

  counts(recipients: readonly MemberId[]): Counts[] {
    const rows = this.db.all('SELECT * FROM tally WHERE recipient <> ?', ANYBODY);
    const names = new Set([...recipients, ...rows.map((row) => textOf(row, 'recipient'))]);
    return [...names].sort().map((recipient) => {
      const own = rows.filter((row) => row['recipient'] === recipient);
      const released = own.find((row) => row['outcome'] === 'RELEASED');
      const withheld = own
        .filter((row) => row['outcome'] === 'WITHHELD')
        .map((row) => [textOf(row, 'reason'), numberOf(row, 'n')] as const);
      return {
        recipient,
        released: released ? numberOf(released, 'n') : 0,
        withheld: Object.fromEntries(withheld),
      };
    });
  }

  #add(recipient: string, outcome: string, reason: string, n: number): void {
    if (n === 0) return;
    this.db.run(
      `INSERT INTO tally VALUES(?, ?, ?, ?)
       ON CONFLICT(recipient, outcome, reason) DO UPDATE SET n = n + excluded.n`,
      recipient,
      outcome,
      reason,
      n,
    );
  }

  close(): void {
    this.db.close();
  }
}

/** Most events of a block are decided on one ground: what is alike at a glance is not compared in full. */
function byGround(made: readonly Made[]): Iterable<readonly Made[]> {
  let [before, key] = [made[0], ''];
  const groups = grouped(made, (one) => {
    if (key === '' || !before || !isAlike(before, one)) key = groundKey(one);
    before = one;
    return key;
  });
  return groups.values();
}

/** Terms of one class of facts share their lists. */
function isAlike(a: Made, b: Made): boolean {
  if (a.category !== b.category) return false;
  if (a.decision.outcome === 'withheld' || b.decision.outcome === 'withheld') return false;
  const [one, other] = [a.decision.terms, b.decision.terms];
  return (
    one.sections === other.sections &&
    one.purposes === other.purposes &&
    one.ruleId === other.ruleId &&
    one.agreementId === other.agreementId &&
    one.agreementVersion === other.agreementVersion
  );
}

/** Decisions with the same key have all in common but the event's own times. */
function groundKey({ category, decision }: Made): string {
  if (decision.outcome === 'withheld') {
    return `${category}|${decision.reason}|${decision.ruleId ?? ''}`;
  }
  const { terms } = decision;
  const rule = `${terms.ruleId}|${terms.agreementId}|${String(terms.agreementVersion)}`;
  return `${category}|${rule}|${terms.sections.join(BETWEEN)}|${terms.purposes.join(BETWEEN)}`;
}

function deleteByOf(decision: ReleaseDecision): number {
  return decision.outcome === 'release' ? decision.terms.deleteByMs : 0;
}

function asDecided(row: Row): Decided {
  const listOf = (column: string): string[] => textOf(row, column).split(BETWEEN).filter(Boolean);
  return {
    outcome: textOf(row, 'outcome') === 'RELEASED' ? 'RELEASED' : 'WITHHELD',
    reason: textOf(row, 'reason'),
    ruleId: textOf(row, 'rule_id'),
    agreementId: textOf(row, 'agreement_id'),
    agreementVersion: numberOf(row, 'agreement_version'),
    sections: listOf('sections'),
    purposes: listOf('purposes'),
    deleteByMs: fromSortable(bytesOf(row, 'delete_by')),
    category: textOf(row, 'category'),
    decidedAtMs: numberOf(row, 'decided_at_ms'),
  };
}
