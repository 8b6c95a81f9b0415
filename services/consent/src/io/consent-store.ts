import { join } from 'node:path';
import type { ReleaseDecision } from '@concordat/common/domain/decide-release.js';
import { type EventId, type MemberId, type UnixMs, idBytes } from '@concordat/common/domain/ids.js';
import { CHAIN_SCHEMA, ChainTables } from '@concordat/common/io/store/chain-tables.js';
import { type Row, Sqlite, numberOf, textOf } from '@concordat/common/io/store/sqlite.js';

const SCHEMA = `
${CHAIN_SCHEMA}
CREATE TABLE IF NOT EXISTS decision(
  id BLOB NOT NULL, recipient TEXT NOT NULL, outcome TEXT NOT NULL, reason TEXT, rule_id TEXT,
  agreement_id TEXT, agreement_version INTEGER, sections TEXT, purposes TEXT, delete_by_ms INTEGER,
  category TEXT NOT NULL, decided_at_ms INTEGER NOT NULL, PRIMARY KEY(id, recipient)) WITHOUT ROWID;
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

/** `consent.db`: every decision beside the chains that it follows and writes, so that they commit together. */
export class ConsentStore {
  readonly db: Sqlite;
  readonly chains: ChainTables;

  constructor(dataDir: string) {
    this.db = new Sqlite(join(dataDir, 'consent.db'), SCHEMA);
    this.chains = new ChainTables(this.db);
  }

  /** The first decision on an event and a recipient stays: an id stands for one event for ever. */
  decide(
    about: { readonly id: EventId; readonly recipient: MemberId; readonly category: string },
    decision: ReleaseDecision,
    nowMs: UnixMs,
  ): 'recorded' | 'known' {
    const terms = decision.outcome === 'release' ? decision.terms : undefined;
    const withheld = decision.outcome === 'withheld' ? decision : undefined;
    const changed = this.db.run(
      'INSERT OR IGNORE INTO decision VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      idBytes(about.id),
      about.recipient,
      terms ? 'RELEASED' : 'WITHHELD',
      withheld?.reason ?? null,
      terms?.ruleId ?? withheld?.ruleId ?? null,
      terms?.agreementId ?? null,
      terms?.agreementVersion ?? null,
      terms?.sections.join(BETWEEN) ?? null,
      terms?.purposes.join(BETWEEN) ?? null,
      terms?.deleteByMs ?? null,
      about.category,
      nowMs,
    );
    return changed === 1 ? 'recorded' : 'known';
  }

  decided(id: EventId, recipient: MemberId): Decided | undefined {
    const row = this.db.get(
      'SELECT * FROM decision WHERE id = ? AND recipient = ?',
      idBytes(id),
      recipient,
    );
    return row && asDecided(row);
  }

  decidedForAnybody(id: EventId): Decided | undefined {
    const row = this.db.get('SELECT * FROM decision WHERE id = ? LIMIT 1', idBytes(id));
    return row && asDecided(row);
  }

  /** How many distinct events were decided on. */
  decidedEvents(): number {
    return numberOf(this.db.get('SELECT count(DISTINCT id) AS n FROM decision') ?? {}, 'n');
  }

  counts(recipients: readonly MemberId[]): Counts[] {
    const rows = this.db.all(
      'SELECT recipient, outcome, reason, count(*) AS n FROM decision GROUP BY recipient, outcome, reason',
    );
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

  close(): void {
    this.db.close();
  }
}

function asDecided(row: Row): Decided {
  const textOr = (column: string): string => (row[column] === null ? '' : textOf(row, column));
  const numberOr = (column: string): number => (row[column] === null ? 0 : numberOf(row, column));
  const listOf = (column: string): string[] => textOr(column).split(BETWEEN).filter(Boolean);
  return {
    outcome: textOf(row, 'outcome') === 'RELEASED' ? 'RELEASED' : 'WITHHELD',
    reason: textOr('reason'),
    ruleId: textOr('rule_id'),
    agreementId: textOr('agreement_id'),
    agreementVersion: numberOr('agreement_version'),
    sections: listOf('sections'),
    purposes: listOf('purposes'),
    deleteByMs: numberOr('delete_by_ms'),
    category: textOf(row, 'category'),
    decidedAtMs: numberOf(row, 'decided_at_ms'),
  };
}
